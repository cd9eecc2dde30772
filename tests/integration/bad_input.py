"""Records as nobody should send them, sent between good ones, and what a worker made of each."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.observing import observed_worker
from tests.integration.probing import probe
from tests.integration.steering import ledger_of, letters_of
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

Headers = list[tuple[str, bytes | None]]
ANY_TIME = {"message_timestamp_before_max_ms": 2**63 - 1, "message_timestamp_after_max_ms": 2**63 - 1}
GOOD = "completed"
UNSUBSCRIBED = "unsubscribed"


@dataclass
class Bad:
    """A record and what is to become of it: a dead letter's reason, GOOD or UNSUBSCRIBED."""

    name: str
    becomes: str
    value: bytes | None
    headers: Headers = field(default_factory=list)
    key: bytes | None = None
    timestamp_ms: int | None = None


def headers(named: str | bytes, kind: str = "input.measured", /, **changed: str | bytes | None) -> Headers:
    """Those of a binary CloudEvent; `changed` by their names without `ce_`, None leaves one out."""
    attributes: dict[str, Any] = {"specversion": "1.0", "id": named, "source": "/bad", "type": kind}
    attributes |= changed
    return [
        (f"ce_{name}", text.encode() if isinstance(text, str) else text)
        for name, text in attributes.items()
        if text is not None
    ]


def picky_worker(broker: str, app_id: str, folder: Path, **settings: object) -> TaskWorker:
    return observed_worker(broker, app_id, folder, "picky", unknown_task_patience_seconds=0, **settings)


async def send_between(broker: str, topic: str, records: list[Bad], neighbour: Bad) -> dict[int, Bad]:
    """Send each record followed by a good one; returns all by their offsets in partition 0."""
    async with AIOKafkaProducer(bootstrap_servers=broker, max_request_size=8 << 20) as producer:
        sent: dict[int, Bad] = {}
        waits = []
        for number, record in enumerate(records):
            good = Bad(f"neighbour {number}", GOOD, neighbour.value, _with_id(neighbour.headers, number))
            for each in (record, good):
                batch = producer.create_batch()
                batch.append(
                    key=each.key, value=each.value, timestamp=each.timestamp_ms, headers=each.headers
                )
                waits.append((await producer.send_batch(batch, topic, partition=0), each))
        for future, each in waits:
            sent[(await future).offset] = each
    return sent


def _with_id(given: Headers, number: int) -> Headers:
    id = f"neighbour-{number}".encode()
    return [(name, id if name == "ce_id" else content) for name, content in given]


async def became(broker: str, worker: TaskWorker, source: str, sent: dict[int, Bad]) -> dict[int, str]:
    """What became of each offset, once all that is to be seen is there. The process must be the same."""
    wanted = Counter(record.becomes for record in sent.values())

    async def all_there() -> dict[int, str] | None:
        await asyncio.sleep(0.3)
        assert worker.process is not None
        assert worker.process.returncode is None, (worker.folder / "worker.log").read_text()[-3000:]
        found = await found_ends(broker, worker.app_id, source)
        return found if len(found) >= len(sent) - wanted[UNSUBSCRIBED] else None

    found = await until(all_there, within_seconds=60, saying="everything has become something")
    assert found is not None
    return found | dict.fromkeys(sent.keys() - found.keys(), UNSUBSCRIBED)


async def found_ends(broker: str, app_id: str, source: str) -> dict[int, str]:
    """By offset: the reason of its dead letter, or GOOD."""
    found: dict[int, str] = {}
    for letter in await letters_of(broker, app_id, source):
        offset = int(letter["headrace-origin-offset"])
        assert offset not in found, "one letter for a record"
        found[offset] = letter["headrace-reason"]
    for records in (await ledger_of(broker, app_id, source)).values():
        for record in records:
            _, _, offset = record.document["at"]
            if record.document["state"] == GOOD:
                assert offset not in found, "one end for a record"
                found[offset] = GOOD
    return found


def differences(sent: dict[int, Bad], found: dict[int, str]) -> list[str]:
    """Every record that became something else, in words."""
    return [
        f"{sent[offset].name}: {sent[offset].becomes} wanted, {became} found"
        for offset, became in sorted(found.items())
        if sent[offset].becomes != became
    ]


async def counted(worker: TaskWorker, name: str) -> float:
    """The sum of a counter over its labels."""
    text = (await probe(worker, "/metrics"))[1]
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"headrace_{name}_total"
    )
