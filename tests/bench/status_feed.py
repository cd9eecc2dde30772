"""What the status row feeds: requests for jobs, and the ledger records workers write of the same jobs.

`python -m tests.bench.status_feed BOOTSTRAP APP_ID FIRST JOBS PER_SECOND` writes so many jobs from number
FIRST on, at a pace unless that is 0; two records a job.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from events.codec import encode
from events.queue_options import EnqueueOptions
from events.requests import request_event
from events.topics import JOBS, jobs_source, jobs_topic, ledger_topic, registry_topic, state_topics
from schemas.state import encode_state
from tests.bench.kafka import BATCH_BYTES, admin

PARTITIONS: Final = 6
SLICE: Final = 600
TASKS: Final = 4
RECORDS_A_JOB: Final = 2
_HOUR_MS: Final = 3_600_000
_UNDER_WAY: Final = 24
_PATTERN: Final = "00000000-0000-5000-8000-999999999999"


def job_id(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012d}"


async def make_topics(bootstrap_servers: str, app_id: str) -> None:
    names = [*jobs_source(app_id).topics, *state_topics(app_id, JOBS)]
    topics = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names]
    topics.append(NewTopic(registry_topic(app_id), num_partitions=1, replication_factor=1))
    async with admin(bootstrap_servers) as client:
        await client.create_topics(topics)


async def feed(bootstrap_servers: str, app_id: str, numbers: range, *, per_second: float = 0.0) -> None:
    """Write the jobs of these numbers, `per_second` of them if that is not 0."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, max_batch_size=BATCH_BYTES, compression_type="zstd", acks="all"
    )
    async with producer:
        started = time.monotonic()
        waiting: list[asyncio.Future[Any]] = []
        for place, first in enumerate(range(numbers.start, numbers.stop, SLICE)):
            if per_second:
                await asyncio.sleep(max(0.0, started + place * SLICE / per_second - time.monotonic()))
            some = range(first, min(first + SLICE, numbers.stop))
            waiting += await _send(producer, jobs_topic(app_id), place, _requests(app_id, some))
            waiting += await _send(producer, ledger_topic(app_id, JOBS), place, _records(app_id, some))
            if len(waiting) > _UNDER_WAY:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)


Message = tuple[bytes, bytes, list[tuple[str, bytes]]]


async def _send(
    producer: AIOKafkaProducer, topic: str, place: int, messages: Iterable[Message]
) -> list[asyncio.Future[Any]]:
    partition, now = place % PARTITIONS, time.time_ns() // 1_000_000
    sent, builder = [], producer.create_batch()
    for key, value, headers in messages:
        if builder.append(key=key, value=value, timestamp=now, headers=headers) is None:
            sent.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            builder.append(key=key, value=value, timestamp=now, headers=headers)
    sent.append(await producer.send_batch(builder, topic, partition=partition))
    return sent


def _requests(app_id: str, numbers: range) -> Iterable[Message]:
    """Made from one that is encoded for real, so that feeding costs next to nothing."""
    args = {"to": "somebody@airline.example", "subject": "Your flight", "body": "It leaves at 10:40."}
    _, _, event = request_event(app_id, "task_0", args, EnqueueOptions(job_id=_PATTERN))
    value, headers = encode(event)
    assert value is not None
    for number in numbers:
        id, task = job_id(number).encode(), b"task_%d" % (number % TASKS)
        named = [(name, id if content == _PATTERN.encode() else content) for name, content in headers]
        yield id, value.replace(_PATTERN.encode(), id).replace(b"task_0", task), named


def _records(app_id: str, numbers: range) -> Iterable[Message]:
    now = time.time_ns() // 1_000_000
    document = {
        "state": "completed",
        "task": "task_0",
        "attempt": 1,
        "at": (jobs_topic(app_id), 0, numbers.start),
        "event": (_PATTERN, "headrace.job.requested.v1", f"/headrace/{app_id}"),
        "enqueued_ms": now,
        "started_ms": now + 2,
        "finished_ms": now + 9,
        "worker": "worker-0:1",
        "result": {"accepted": ["somebody@airline.example"], "bytes": 1200},
    }
    record = encode_state(document, expires_ms=now + _HOUR_MS, writer=1, revision=1)
    for number in numbers:
        id, task = job_id(number).encode(), b"task_%d" % (number % TASKS)
        yield id, record.replace(_PATTERN.encode(), id).replace(b"task_0", task), []


if __name__ == "__main__":
    servers, app, start, jobs, pace = sys.argv[1:]
    begin = int(start)
    asyncio.run(feed(servers, app, range(begin, begin + int(jobs)), per_second=float(pace)))
