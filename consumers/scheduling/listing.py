"""The schedules of an app as they stand: what was announced, and where their cursors are."""

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from consumers.scheduling.cursor import Cursor, read_cursor
from consumers.scheduling.schedule import Schedule, schedule_from
from events.log_reader import LogReader
from events.registry_view import read_registry
from events.state_view import StatePartition
from events.topics import JOBS, jobs_topic, retry_topic
from schemas.schedule import schedule_partition
from schemas.state import SCHEDULE_PREFIX


@dataclass(frozen=True, slots=True)
class Standing:
    """A schedule and its cursor; no cursor before a worker has met it. `why_not`: it cannot be read."""

    name: str
    document: dict[str, Any]
    schedule: Schedule | None
    cursor: Cursor | None
    partition: int
    why_not: str = ""

    @property
    def state(self) -> str:
        if self.schedule is None:
            return "unreadable"
        if self.cursor is None:
            return "new"
        return "paused" if self.cursor.paused else "active"

    @property
    def next_ms(self) -> int | None:
        """When it runs next; None when it is paused or there is no such time."""
        return self.cursor.next_ms if self.cursor is not None and not self.cursor.paused else None

    def upcoming(self, after_ms: int, count: int) -> list[int]:
        """Its next times after a moment, paused or not."""
        if self.schedule is None:
            return []
        return list(itertools.islice(self.schedule.timetable.after(after_ms), count))

    def local(self, moment_ms: int | None) -> str:
        """A moment in the schedule's zone."""
        if moment_ms is None:
            return ""
        zone = ZoneInfo(self.schedule.timetable.timezone) if self.schedule is not None else dt.UTC
        return dt.datetime.fromtimestamp(moment_ms / 1000, zone).isoformat(timespec="seconds")

    def as_json(self) -> dict[str, Any]:
        cursor = self.cursor
        return {
            **self.document,
            "state": self.state,
            "next_ms": self.next_ms,
            "last_ms": cursor and cursor.last_ms,
            "last_outcome": cursor and cursor.last_outcome,
            "partition": self.partition,
            **({"why_not": self.why_not} if self.why_not else {}),
        }


async def read_schedules(reader: LogReader, app_id: str) -> list[Standing]:
    """All of them, by name."""
    view = await read_registry(reader, app_id)
    partitions = (await reader.topics()).get(jobs_topic(app_id), 0) or 1
    folds: dict[int, StatePartition] = {}
    async for record in reader.read([retry_topic(app_id, JOBS)]):
        fold = folds.setdefault(record.partition, StatePartition())
        fold.add(record.key, record.value, record.headers)
    cursors = {
        cursor.schedule: cursor
        for fold in folds.values()
        for key, value in fold.records.items()
        if key.startswith(SCHEDULE_PREFIX) and (cursor := read_cursor(key, value)) is not None
    }
    return [
        _standing(name, document, cursors.get(name), schedule_partition(name, partitions))
        for name, document in view.schedules().items()
    ]


def _standing(name: str, document: dict[str, Any], cursor: Cursor | None, partition: int) -> Standing:
    try:
        return Standing(name, document, schedule_from(document), cursor, partition)
    except ValueError as error:
        return Standing(name, document, None, cursor, partition, str(error))
