"""aiokafka alone: the ceiling of Kafka from Python. No retry, dedupe or state; offsets commit themselves."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer

from tests.bench.contest import MAX_JOBS, Duty, Row
from tests.bench.work import Work, work_for


async def main() -> None:
    duty = Duty.from_environment()
    consumer = AIOKafkaConsumer(
        duty.topic,
        bootstrap_servers=duty.bootstrap_servers,
        group_id=duty.group,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    try:
        await (run_concurrently if duty.row is Row.IO else run_inline)(consumer, work_for(duty))
    finally:
        await consumer.stop()


async def run_inline(consumer: AIOKafkaConsumer, work: Work) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=100, max_records=10_000)).values():
            for record in records:
                await work(record.value)


async def run_concurrently(consumer: AIOKafkaConsumer, work: Work) -> None:
    slots = asyncio.Semaphore(MAX_JOBS)
    running: set[asyncio.Task[None]] = set()

    async def run(job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        finally:
            slots.release()

    while True:
        for records in (await consumer.getmany(timeout_ms=100, max_records=MAX_JOBS)).values():
            for record in records:
                await slots.acquire()
                task = asyncio.create_task(run(work(record.value)))
                running.add(task)
                task.add_done_callback(running.discard)


if __name__ == "__main__":
    uvloop.run(main())
