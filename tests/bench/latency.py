"""The latency row: messages at a steady pace, each timed from just before its publish to its handler.

The pace does not wait for slow publishes, so that a stall shows in every message it delays.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from tests.bench.contest import LATENCY_PER_SECOND, Contender, Duty
from tests.bench.kafka import kafka_publisher
from tests.bench.process import WorkerFailed, WorkerProcess

WARM_UP: Final = -1
FIRST_SECONDS: Final = 60
ARRIVAL_SECONDS: Final = 30

Publish = Callable[[int], Awaitable[None]]


def measure(
    contender: Contender, duty: Duty, worker: WorkerProcess, *, messages: int
) -> tuple[list[float], float]:
    """Milliseconds of each of `messages` messages, and the worker's processor seconds for all of them.

    Raises WorkerFailed when one is missing.
    """
    started_cpu = asyncio.run(_publish(_publisher(contender, duty), worker, messages))
    worker.wait(lambda tally: len(_measured(tally)) >= messages, within_seconds=ARRIVAL_SECONDS)
    waited = [waited_ns / 1e6 for waited_ns in _measured(worker.tally()).values()]
    return waited, worker.cpu_seconds() - started_cpu


def _publisher(contender: Contender, duty: Duty) -> AbstractAsyncContextManager[Publish]:
    if contender.feed == "kafka":
        return kafka_publisher(duty.bootstrap_servers, duty.topic)
    from tests.bench.redis_feed import arq_publisher, celery_publisher  # needs the extra `bench`

    return {"arq": arq_publisher, "celery": celery_publisher}[contender.name](duty)


def _measured(tally: list[tuple[int, int]]) -> dict[int, int]:
    return {number: waited_ns for number, waited_ns in reversed(tally) if number != WARM_UP}


async def _publish(
    publisher: AbstractAsyncContextManager[Publish], worker: WorkerProcess, messages: int
) -> float:
    """Returns the worker's processor seconds up to the first measured message."""
    async with publisher as publish:
        await _until_first_arrives(publish, worker)
        await _send_paced(publish, [WARM_UP] * LATENCY_PER_SECOND)
        started_cpu = worker.cpu_seconds()
        await _send_paced(publish, list(range(messages)))
    return started_cpu


async def _send_paced(publish: Publish, numbers: list[int]) -> None:
    started = time.monotonic()
    async with asyncio.TaskGroup() as sending:
        for index, number in enumerate(numbers):
            await asyncio.sleep(max(started + index / LATENCY_PER_SECOND - time.monotonic(), 0))
            sending.create_task(_send(publish, number))


async def _until_first_arrives(publish: Publish, worker: WorkerProcess) -> None:
    deadline = time.monotonic() + FIRST_SECONDS
    while not worker.tally():
        worker.check_alive()
        if time.monotonic() > deadline:
            raise WorkerFailed(f"no message arrived within {FIRST_SECONDS} s")
        await publish(WARM_UP)
        await asyncio.sleep(0.1)


async def _send(publish: Publish, number: int) -> None:
    await publish(number)
