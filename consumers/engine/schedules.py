"""The schedules of one partition of the jobs: their cursors, and the jobs of the times that have come.

A time's job is written as a parked record before the cursor that goes on, in one batch: a crash leaves
either both or neither, or at the worst a job whose id is known when the time is looked at again.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from consumers.engine.occurrence import Occurrence, parked_record
from consumers.engine.parking import Parking
from consumers.engine.partition import Partition
from consumers.engine.reader import Reader
from consumers.engine.records import Pen
from consumers.engine.standing import Standing
from consumers.engine.statedb import RECORD, Change
from consumers.engine.statelog import StateLogClosed
from consumers.scheduling.cursor import MOST_JOBS, Cursor, read_cursor
from consumers.scheduling.occurrences import Plan, plan
from consumers.scheduling.schedule import Schedule, schedule_from
from events.registry_view import RegistryView
from schemas.job import JobState, job_id
from schemas.schedule import schedule_partition
from schemas.state import SCHEDULE_PREFIX

log = structlog.get_logger()

LOOK_AGAIN_SECONDS: Final = 0.25
READY_SECONDS: Final = 10.0


@dataclass
class Batch:
    """What is to be written together, and what to do once it is."""

    changes: list[Change] = field(default_factory=list)
    cursors: dict[str, Cursor | None] = field(default_factory=dict)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    jobs: int = 0


Alter = Callable[[Batch, Cursor, Schedule], dict[str, Any]]


class Schedules:
    """Fires the schedules whose cursors are in one partition. `ready`: the registry was read to its end."""

    def __init__(
        self,
        *,
        partition: Partition,
        parking: Parking,
        standing: Standing,
        reader: Reader,
        view: RegistryView,
        ready: asyncio.Event,
        partitions: int,
        app_id: str,
        pen: Pen,
        now_ms: Callable[[], int],
    ) -> None:
        self._partition = partition
        self._parking = parking
        self._standing = standing
        self._reader = reader
        self._view = view
        self._ready = ready
        self._partitions = partitions
        self._app_id = app_id
        self._pen = pen
        self._now_ms = now_ms
        self._cursors: dict[str, Cursor] = {}
        self._schedules: dict[str, Schedule] = {}
        self._loaded = asyncio.Event()
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()  # commands come from another task
        self._registry_changed = True
        self._refused: dict[str, str] = {}

    # -- woken by

    async def fire(self, id: bytes, value: bytes, now_ms: int) -> None:
        """A cursor is due."""
        self._wake.set()

    def registry_changed(self) -> None:
        """A task or schedule was announced or removed."""
        self._registry_changed = True
        self._wake.set()

    # -- working

    async def run(self) -> None:
        """Fire for as long as the partition is ours."""
        try:
            await self._ready.wait()
            self._load()
            while not self._partition.lost:
                self._wake.clear()
                async with self._lock:
                    waits = await self._turn()
                self._loaded.set()
                await self._rest(LOOK_AGAIN_SECONDS if waits else None)
        except StateLogClosed:
            pass

    async def _rest(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _load(self) -> None:
        db = self._partition.retry.db
        for id, value in db.records(RECORD + SCHEDULE_PREFIX) if db is not None else ():
            if not id.startswith(SCHEDULE_PREFIX):
                return
            cursor = read_cursor(id, value)
            if cursor is not None:
                self._cursors[cursor.schedule] = cursor

    async def change(self, name: str, alter: Alter) -> tuple[bool, dict[str, Any]]:
        """Alter a schedule's cursor as a command wants it: whether there is one, and what to tell of it.

        Raises TimeoutError while the registry was not read yet.
        """
        async with asyncio.timeout(READY_SECONDS):
            await self._loaded.wait()
        async with self._lock:
            cursor, schedule = self._cursors.get(name), self._schedules.get(name)
            if cursor is None or schedule is None:
                return False, {}
            batch = Batch()
            told = alter(batch, cursor, schedule)
            await self._write(batch)
        self._wake.set()
        return True, {**told, "next_ms": self._cursors[name].next_ms}

    async def _turn(self) -> bool:
        """Do what is to be done now; returns whether a schedule waits for the end of a job."""
        batch, now_ms = Batch(), self._now_ms()
        if self._registry_changed:
            self._registry_changed = False
            self._reconcile(batch, now_ms)
        waits = False
        for name, cursor in list(self._cursors.items()):
            schedule = self._schedules.get(name)
            if name in batch.cursors or schedule is None:
                continue
            if cursor.paused or cursor.next_ms is None or cursor.next_ms > now_ms:
                continue
            unfinished = self.unfinished(cursor) if schedule.overlap != "allow" else ()
            decided = plan(schedule, cursor.next_ms, now_ms, busy=bool(unfinished))
            if decided.waits:
                waits = True
            else:
                self._go_on(batch, schedule, cursor, decided, unfinished, now_ms)
        await self._write(batch)
        return waits

    def _reconcile(self, batch: Batch, now_ms: int) -> None:
        """Cursors for what was announced, none for what was removed, new next times where those changed."""
        self._schedules = {}
        for name, document in self._view.schedules().items():
            if schedule_partition(name, self._partitions) != self._partition.number:
                continue
            try:
                self._schedules[name] = schedule_from(document)
            except ValueError as error:
                if self._refused.get(name) != str(error):
                    self._refused[name] = str(error)
                    log.error("schedule_unreadable", schedule=name, error=str(error))
        for name, cursor in self._cursors.items():
            moved = schedule_partition(name, self._partitions) != self._partition.number
            if moved or self._view.documents.get(f"schedule/{name}", {}).get("removed"):
                batch.changes.append(Change(cursor.key, None, cursor.due_ms))
                batch.cursors[name] = None
                batch.lines.append(("schedule_removed", {"schedule": name}))
        for name, schedule in self._schedules.items():
            known = self._cursors.get(name)
            if known is None:
                fresh = Cursor(schedule=name, timing=schedule.timing, next_ms=None)
                self.put(batch, fresh.moved(next_ms=schedule.timetable.next_after(now_ms)))
                batch.lines.append(("schedule_added", {"schedule": name, "timing": schedule.timing}))
            elif known.timing != schedule.timing:
                start_ms = max(now_ms, known.last_ms or 0)
                next_ms = schedule.timetable.next_after(start_ms)
                self.put(batch, known.moved(next_ms=next_ms, timing=schedule.timing))
                batch.lines.append(("schedule_changed", {"schedule": name, "timing": schedule.timing}))

    def _go_on(
        self,
        batch: Batch,
        schedule: Schedule,
        cursor: Cursor,
        decided: Plan,
        unfinished: tuple[str, ...],
        now_ms: int,
    ) -> None:
        name, outcome, jobs = schedule.name, cursor.last_outcome, list(unfinished)
        for skip in decided.skipped:
            line = {"schedule": name, "task": schedule.task, "scheduled": _iso(skip.first_ms)}
            more = {"until": _iso(skip.last_ms), "count": skip.count} if skip.count > 1 else {}
            batch.lines.append(("schedule_skipped", {**line, **more, "why": skip.why}))
        for scheduled_ms in decided.fired:
            id = job_id(schedule.task, ["schedule", name, scheduled_ms])
            late_seconds = round((now_ms - scheduled_ms) / 1000, 3)
            due_ms = schedule.start_ms(scheduled_ms)
            self.emit(batch, schedule, id, scheduled_ms=scheduled_ms, due_ms=due_ms, now_ms=now_ms)
            line = {"schedule": name, "task": schedule.task, "job_id": id, "scheduled": _iso(scheduled_ms)}
            batch.lines.append(("schedule_fired", {**line, "late_seconds": late_seconds}))
            jobs.append(id)
        newest = max((skip.last_ms for skip in decided.skipped), default=-1)
        if decided.fired and decided.fired[-1] > newest:
            last = decided.fired[-1]
            outcome = {"scheduled_ms": last, "outcome": "fired", "why": None, "job_id": jobs[-1]}
        elif decided.skipped:
            why = decided.skipped[-1].why
            outcome = {"scheduled_ms": newest, "outcome": "skipped", "why": why, "job_id": None}
        last_ms = decided.fired[-1] if decided.fired else cursor.last_ms
        moved = cursor.moved(
            next_ms=decided.next_ms, last_ms=last_ms, last_outcome=outcome, jobs=tuple(jobs[-MOST_JOBS:])
        )
        self.put(batch, moved)

    def put(self, batch: Batch, new: Cursor) -> None:
        """Write a cursor with the batch; jobs that go with it are in the batch before it."""
        replaced = self._cursors.get(new.schedule)
        due_ms = replaced.due_ms if replaced is not None else 0
        batch.changes.append(Change(new.key, new.encode(self._pen.writer), due_ms))
        batch.cursors[new.schedule] = new

    def emit(
        self, batch: Batch, schedule: Schedule, id: str, *, scheduled_ms: int, due_ms: int, now_ms: int
    ) -> None:
        """Start a job for a time; nothing where there is one of this id."""
        if id in self._partition.in_flight or self._standing.stored(id) is not None:
            return  # written before a crash, and the cursor was not
        priority = self._view.documents.get(f"task/{schedule.task}", {}).get("priority", "normal")
        occurrence = Occurrence(schedule, id, scheduled_ms, due_ms, priority)
        value = parked_record(
            occurrence, self._reader, self._pen, self._app_id, self._partition.number, now_ms=now_ms
        )
        batch.changes.append(Change(id.encode(), value))
        batch.jobs += 1

    def unfinished(self, cursor: Cursor) -> tuple[str, ...]:
        """The jobs of earlier times that have not ended."""
        return tuple(id for id in cursor.jobs if self._is_unfinished(id))

    def _is_unfinished(self, id: str) -> bool:
        if id in self._partition.in_flight:
            return True
        record = self._standing.stored(id)
        return record is not None and not JobState(record.document["state"]).finished

    async def _write(self, batch: Batch) -> None:
        if not batch.changes:
            return
        await self._partition.settlement.keep(batch.changes)
        for name, cursor in batch.cursors.items():
            if cursor is None:
                self._cursors.pop(name, None)
            else:
                self._cursors[name] = cursor
        for _ in range(batch.jobs):
            self._parking.counts.settled(None, JobState.SCHEDULED)
        for event, fields in batch.lines:
            log.info(event, **fields)


def _iso(moment_ms: int) -> str:
    return dt.datetime.fromtimestamp(moment_ms / 1000, dt.UTC).isoformat().replace("+00:00", "Z")
