"""State topics that hold what no worker wrote: it is passed over, and the jobs beside it are not."""

from pathlib import Path
from random import Random

import orjson
from aiokafka import AIOKafkaProducer

from events.topics import ledger_topic, retry_topic
from schemas.state import RawRecord, encode_state
from tests.integration.bad_input import GOOD, Bad, became, differences, headers, picky_worker, send_between
from tests.integration.conftest import MakeTopic
from tests.integration.observing import SOURCE, job_of, topic_of
from tests.integration.probing import log_lines
from tests.integration.steering import running

RAW = RawRecord(b"k", b'{"size": 1}', headers("parked", "input.any"), 1)
DOCUMENT = {"state": "retrying", "task": "take", "attempt": 1, "at": ["t", 0, 5]}


def no_records() -> list[tuple[bytes, bytes]]:
    """Keys and values that are no state records, two of them under the id of a job."""
    random = Random(5)
    return [
        (b"short", b"\x00" * 20),
        (b"empty", b""),
        (b"random", bytes(8) + random.randbytes(100)),
        (b"text", b"\x00" * 40 + b"not JSON"),
        (job_of("take", "known").encode(), bytes(8) + random.randbytes(60)),
    ]


def no_jobs() -> list[tuple[bytes, bytes]]:
    """State records that are no parked jobs, due at once."""
    wrong = [
        [],
        {},
        {"state": "retrying"},
        DOCUMENT | {"state": "asleep"},
        DOCUMENT | {"at": 7},
        DOCUMENT | {"attempt": "first"},
    ]
    return [
        (b"\xff\xfe", encode_state(DOCUMENT, due_ms=1, raw=RAW)),
        (b"without the record", encode_state(DOCUMENT, due_ms=1)),
        *((orjson.dumps(each), encode_state(each, due_ms=1, raw=RAW)) for each in wrong),  # type: ignore[arg-type]
    ]


async def test_it_is_passed_over(broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    source = topic_of(app_id)
    await make_topic(source, exact=True)
    topics = [
        await make_topic(retry_topic(app_id, source), exact=True, cleanup_policy="compact"),
        await make_topic(ledger_topic(app_id, source), exact=True, cleanup_policy="compact,delete"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for topic in topics:
            for key, value in no_records():
                await producer.send_and_wait(topic, value, key, partition=0)
        for key, value in no_jobs():
            await producer.send_and_wait(topics[0], value, key, partition=0)
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        records = [
            Bad("known to the garbage", GOOD, b"{}", headers("known", "input.any", source=SOURCE)),
            Bad("retried", GOOD, b'{"failures": 1}', headers("retried", "input.any")),
        ]
        sent = await send_between(broker, source, records, Bad("", GOOD, b'{"size": 1}', headers("?")))
        assert differences(sent, await became(broker, worker, source, sent)) == []
    assert worker.process is not None
    assert worker.process.returncode == 0
    unreadable = [line for line in log_lines(worker) if line["event"] == "state_record_unreadable"]
    assert len(unreadable) == len(no_jobs())
