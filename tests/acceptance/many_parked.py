"""Very many jobs that wait for their time: written in prepared batches, and what became of some of them."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from events.codec import encode
from events.queue_options import EnqueueOptions
from events.requests import request_event
from events.topics import JOBS, ledger_topic, retry_topic
from schemas.state import StateRecord, decode_state, is_fence
from tests.integration.consuming import records_of
from tests.integration.observing import notes

TASK = "on_time"
VALUE_BYTES = 500
BATCHES_AT_ONCE = 20


async def ask_for(broker: str, app_id: str, due_ms: Iterable[tuple[str, int]]) -> None:
    """Ask for jobs by (id, time). Each request has 500 bytes; they go round the partitions."""
    topic, _, request = request_event(app_id, TASK, {}, EnqueueOptions(job_id="template"))
    _, headers = encode(request)
    kept = [(key, value) for key, value in headers if key != "ce_id"]
    async with AIOKafkaProducer(
        bootstrap_servers=broker, enable_idempotence=True, max_batch_size=256 << 10
    ) as producer:
        partitions = len(await producer.partitions_for(topic))
        batches = [producer.create_batch() for _ in range(partitions)]
        sent: list[asyncio.Future[object]] = []

        async def send(partition: int) -> None:
            sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
            batches[partition] = producer.create_batch()
            if len(sent) > BATCHES_AT_ONCE:
                await sent.pop(0)

        for number, (id, due) in enumerate(due_ms):
            partition = number % partitions
            record = {
                "key": id.encode(),
                "value": _request(id, due),
                "timestamp": None,
                "headers": [*kept, ("ce_id", id.encode())],
            }
            if batches[partition].append(**record) is None:
                await send(partition)
                batches[partition].append(**record)
        for partition in range(partitions):
            await send(partition)
        await asyncio.gather(*sent)


def _request(id: str, due_ms: int) -> bytes:
    body = {"task": TASK, "job_id": id, "not_before_ms": due_ms, "args": {"due_ms": due_ms, "filling": ""}}
    short = orjson.dumps(body)
    return short.replace(b'"filling":""', b'"filling":"%s"' % (b"x" * (VALUE_BYTES - len(short))))


async def parked_records(broker: str, app_id: str) -> int:
    """How many records the retry topic of direct enqueues holds, fences included."""
    return await _records_in(broker, retry_topic(app_id, JOBS))


async def finished_records(broker: str, app_id: str) -> int:
    """How many records their ledger holds, fences included."""
    return await _records_in(broker, ledger_topic(app_id, JOBS))


async def _records_in(broker: str, topic: str) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=broker) as consumer:
        await consumer._client._wait_on_metadata(topic)
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return sum((await consumer.end_offsets(places)).values()) if places else 0


def peak_megabytes(pid: int) -> float:
    """The most memory the process has had so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@dataclass(frozen=True)
class Punctuality:
    """How a set of jobs ran. `late_seconds` are of those that became due while a worker was ready."""

    late_seconds: list[float]
    early: list[str]
    missing: set[str]
    repeated: set[str]


async def punctuality(
    broker: str, app_id: str, folder: Path, due_ms: dict[str, int], *, ready_ms: int = 0
) -> Punctuality:
    """Of jobs by their ids and times, read from the ledger and from what the task wrote down."""
    finished: dict[str, list[StateRecord]] = {}
    for record in await records_of(broker, ledger_topic(app_id, JOBS)):
        if not is_fence(record.key) and (id := record.key.decode()) in due_ms:
            finished.setdefault(id, []).append(decode_state(record.value))
    runs = Counter(note.job_id for note in notes(folder, "started"))
    began = {id: int(records[0].document["started_ms"]) for id, records in finished.items()}
    return Punctuality(
        late_seconds=[(at - due_ms[id]) / 1000 for id, at in began.items() if due_ms[id] > ready_ms],
        early=[id for id, at in began.items() if at < due_ms[id]],
        missing=due_ms.keys() - finished.keys(),
        repeated={id for id in due_ms if runs[id] > 1 or len(finished.get(id, ())) > 1},
    )
