"""A worker of `modules/asked.py` and a queue to ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from events.handle import JobHandle
from events.job_status import JobStatus
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from schemas.job import JobState
from tests.integration.observing import observed_worker
from tests.integration.steering import end
from tests.integration.task_worker import TaskWorker
from tests.waiting import until


def client(broker: str, app_id: str) -> ClientSettings:
    return ClientSettings(bootstrap_servers=broker, app_id=app_id)


@asynccontextmanager
async def asking(
    broker: str, app_id: str, folder: Path, **settings: Any
) -> AsyncIterator[tuple[TaskWorker, JobQueue]]:
    """The worker is ready; it is gone afterwards."""
    worker = observed_worker(broker, app_id, folder, "asked", **settings)
    try:
        await worker.start()
        async with JobQueue(client(broker, app_id)) as queue:
            yield worker, queue
    finally:
        await end(worker)


async def ask(queue: JobQueue, task: str, options: dict[str, Any] | None = None, **args: Any) -> JobHandle:
    return await queue.request(task, args, EnqueueOptions(**(options or {})))


async def until_state(job: JobHandle, *states: JobState, within_seconds: float = 30) -> JobStatus:
    """The status of the job, once it is in one of these states."""

    async def reached() -> JobStatus | None:
        status = await job.status()
        return status if status.state in states else None

    said = f"job {job.job_id} is {' or '.join(states)}"
    status = await until(reached, within_seconds=within_seconds, saying=said)
    assert status is not None
    return status
