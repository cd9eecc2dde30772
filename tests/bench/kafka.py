"""What the bench itself does with Kafka: topics made, filled and dropped, the latency row's messages sent."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.bench.events import PARTITIONS, headers, key, message, record

BATCH_BYTES = 256 << 10
SLICE = 6_000


@asynccontextmanager
async def admin(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def make_topic(bootstrap_servers: str, name: str) -> None:
    """An empty topic of PARTITIONS partitions, once all of them can be written to."""
    async with admin(bootstrap_servers) as client:
        await client.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
        while not await _has_leaders(client, name):
            await asyncio.sleep(0.05)


async def _has_leaders(client: AIOKafkaAdminClient, name: str) -> bool:
    (described,) = await client.describe_topics([name])
    partitions = described["partitions"]
    return len(partitions) == PARTITIONS and all(one["error_code"] == 0 for one in partitions)


async def drop_topics(bootstrap_servers: str, prefix: str) -> None:
    """Every topic whose name begins with `prefix`: the broker shall not carry the past along."""
    async with admin(bootstrap_servers) as client:
        names = [name for name in await client.list_topics() if name.startswith(prefix)]
        if names:
            await client.delete_topics(names)


async def preload(bootstrap_servers: str, topic: str, events: int) -> float:
    """Fills a topic with `events` CloudEvents by prepared batches. Returns the seconds it took."""
    started = time.monotonic()
    await make_topic(bootstrap_servers, topic)
    async with _producer(bootstrap_servers, max_batch_size=BATCH_BYTES) as producer:
        acknowledged: list[asyncio.Future[Any]] = []
        for first in range(0, events, SLICE):
            acknowledged += await _send_slice(producer, topic, range(first, min(first + SLICE, events)))
        await asyncio.gather(*acknowledged)
    return time.monotonic() - started


async def _send_slice(producer: AIOKafkaProducer, topic: str, numbers: range) -> list[asyncio.Future[Any]]:
    batches = [producer.create_batch() for _ in range(PARTITIONS)]
    sent = []
    for number in numbers:
        partition, record_key, value, record_headers = record(number)
        arguments = {"key": record_key, "value": value, "headers": record_headers, "timestamp": None}
        if batches[partition].append(**arguments) is None:
            sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
            batches[partition] = producer.create_batch()
            batches[partition].append(**arguments)
    for partition, batch in enumerate(batches):
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


@asynccontextmanager
async def kafka_publisher(bootstrap_servers: str, topic: str) -> AsyncIterator[Any]:
    """`publish(number)` for the latency row: idempotent, acks=all, sent at once."""
    async with _producer(bootstrap_servers) as producer:

        async def publish(number: int) -> None:
            await producer.send_and_wait(
                topic, message(number), key=key(max(number, 0)), headers=headers(uuid.uuid4())
            )

        yield publish


@asynccontextmanager
async def _producer(bootstrap_servers: str, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, linger_ms=0, **settings
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
