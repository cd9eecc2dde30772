"""A worker of `modules/isolated.py`, the processes it started, and a queue to ask it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from events.queue import JobQueue
from tests.integration.asking import client
from tests.integration.observing import observed_worker
from tests.integration.steering import end
from tests.integration.task_worker import TaskWorker


@asynccontextmanager
async def isolating(
    broker: str, app_id: str, folder: Path, **settings: Any
) -> AsyncIterator[tuple[TaskWorker, JobQueue]]:
    """The worker is ready; it is gone afterwards."""
    worker = observed_worker(broker, app_id, folder, "isolated", **{"process_pool_size": 2, **settings})
    try:
        await worker.start()
        async with JobQueue(client(broker, app_id)) as queue:
            yield worker, queue
    finally:
        await end(worker)


def descendants(pid: int) -> set[int]:
    """Every process that was started by this one, or by those."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parents[int(entry.name)] = _parent(entry)
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
