"""Workers whose schedules a test chooses, and what became of their times."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from events.following import Place
from events.job_status import CommandAnswer
from events.log_reader import LogReader
from events.queue import JobQueue
from events.settings import ClientSettings
from events.state_view import read_view
from schemas.command import Command
from schemas.schedule import cursor_key, schedule_partition
from schemas.state import decode_state
from tests.integration.observing import notes, observed_worker
from tests.integration.task_worker import TaskWorker

Schedules = dict[str, dict[str, Any]]


def scheduling_worker(
    broker: str, app_id: str, folder: Path, schedules: Schedules, **settings: object
) -> TaskWorker:
    """A worker with these schedules by name, not started yet. Options as `cron` takes them; `slow=True` for
    runs that end once the file `may_end` is there."""
    return observed_worker(
        broker,
        app_id,
        folder,
        "scheduled",
        SCHEDULES=orjson.dumps(schedules).decode(),
        MAY_END=str(folder / "may_end"),
        **settings,
    )


@asynccontextmanager
async def scheduling(
    broker: str, app_id: str, folder: Path, schedules: Schedules, **settings: object
) -> AsyncIterator[TaskWorker]:
    """The same worker, ready."""
    worker = scheduling_worker(broker, app_id, folder, schedules, **settings)
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()


def ticks(folder: Path, name: str) -> Counter[int]:
    """How often each time of a schedule ran, by its time in ms."""
    return Counter(
        note.facts["scheduled_ms"] for note in notes(folder, "ticked") if note.facts["name"] == name
    )


def lines(folder: Path, event: str) -> list[dict[str, Any]]:
    """The lines of the worker's log of one event."""
    written = (folder / "worker.log").read_bytes().rpartition(b"\n")[0].splitlines()
    found = [orjson.loads(line) for line in written if event.encode() in line and line.startswith(b"{")]
    return [line for line in found if line.get("event") == event]


async def cursor(broker: str, app_id: str, name: str) -> dict[str, Any] | None:
    """The document of a schedule's cursor."""
    async with LogReader(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as reader:
        view = await read_view(reader, app_id, "jobs")
    values = [each.records.get(cursor_key(name)) for each in view.retry.values()]
    found = [decode_state(value).document for value in values if value is not None]
    return found[0] if found else None


async def command(broker: str, app_id: str, what: Command, name: str, partitions: int = 1) -> CommandAnswer:
    """Ask the owner of a schedule for something."""
    async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
        place = Place("jobs", schedule_partition(name, partitions))
        return await queue.ask(place, what, {"schedule": name}, timeout=30)
