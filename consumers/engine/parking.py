"""Parked jobs: retries and delays of one partition, fired when they are due.

The retry table is a timer log. Its index is ordered by (due, id), so firing costs a seek from where it got
to, nothing blocks behind a delay, and a parked job costs no memory.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from consumers.engine import history
from consumers.engine.admission import newest, unfinished_job
from consumers.engine.decisions import Decision
from consumers.engine.job import Job
from consumers.engine.parked_counts import ParkedCounts
from consumers.engine.partition import Partition
from consumers.engine.quarantine import Quarantine
from consumers.engine.reader import Reader
from consumers.engine.statedb import Change
from consumers.outcomes import Cancelled, DeadLettered, Failure
from consumers.workflows.standing import gives_way
from schemas.deadletter import Reason
from schemas.job import JobState
from schemas.state import Position, StateRecord, header_of, is_reserved

log = structlog.get_logger()

FIRE_AT_ONCE: Final = 500
LONGEST_SLEEP_SECONDS: Final = 1.0
SHORTEST_SLEEP_SECONDS: Final = 0.005
COMPACT_EVERY: Final = 100_000

Keeper = Callable[[bytes, bytes, int], Awaitable[None]]
"""Takes a due record that is no job: its key, its value, the time. Registered by the prefix of the key."""


class Parking:
    """Fires the parked jobs of one partition."""

    def __init__(
        self, *, partition: Partition, reader: Reader, now_ms: Callable[[], int], in_flight_limit: int
    ) -> None:
        self._partition = partition
        self._reader = reader
        self._now_ms = now_ms
        self._limit = in_flight_limit
        self._changed = asyncio.Event()
        self._quarantine = Quarantine(partition.start)
        self._fired = 0
        self.counts = ParkedCounts()
        self.due = 0
        self.late_seconds = 0.0
        self.keepers: dict[bytes, Keeper] = {}

    def changed(self) -> None:
        """Something was parked: it may be due before what was waited for."""
        self._changed.set()

    async def run(self) -> None:
        """Fire what is due, for as long as the partition is ours."""
        async with asyncio.TaskGroup() as group:
            quarantine = group.create_task(self._quarantine.run())
            await self._fire_for_ever()
            quarantine.cancel()

    async def _fire_for_ever(self) -> None:
        while not self._partition.lost:
            fired = await self.fire()
            if fired < FIRE_AT_ONCE:
                self._quarantine.open()
                await self._wait()
            if self._fired >= COMPACT_EVERY:
                self._fired = 0
                db = self._partition.retry.db
                if db is not None:
                    await asyncio.to_thread(db.compact_index)

    async def _wait(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(self._sleep_seconds()):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _sleep_seconds(self) -> float:
        db = self._partition.retry.db
        next_due_ms = None if db is None else db.next_due_ms()
        if next_due_ms is None:
            return LONGEST_SLEEP_SECONDS
        return min(max((next_due_ms - self._now_ms()) / 1000, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)

    async def fire(self) -> int:
        """Start what is due and has room; returns how many index entries were looked at."""
        partition, db, now_ms = self._partition, self._partition.retry.db, self._now_ms()
        room = self._limit - len(partition.in_flight)
        if db is None or room <= 0 or not db.has_records or not partition.active:
            return 0
        entries = db.due(now_ms, min(room, FIRE_AT_ONCE))
        if not entries:
            self.due, self.late_seconds = 0, 0.0
            return 0
        self.due = len(entries)
        self.late_seconds = max(0.0, now_ms / 1000 - int.from_bytes(entries[0][0][2:10], "big") / 1000)
        await self._start(entries, now_ms)
        return len(entries)

    async def _start(self, entries: list[tuple[bytes, bytes]], now_ms: int) -> None:
        partition, retry = self._partition, self._partition.retry.db
        ledger = partition.ledger.db
        assert retry is not None
        assert ledger is not None
        ids = [id for _, id in entries]
        stale: list[bytes] = []
        jobs: list[Job] = []
        for (index_key, id), parked, finished in zip(entries, retry.get(ids), ledger.get(ids), strict=True):
            retry.fired(index_key)
            if parked is None or index_key[2:10] != parked[:8]:
                stale.append(index_key)
            elif is_reserved(id):
                await self._keep(id, parked, now_ms)
            elif id.decode(errors="replace") in partition.in_flight:
                continue
            elif newest(finished, parked, now_ms) is not parked:
                partition.settlement.forget(Change(id, None, header_of(parked)[0]))
            elif (record := unfinished_job(id, parked)) is None:
                log.error("state_record_unreadable", topic=partition.retry.topic, key=repr(id)[:80])
                stale.append(index_key)
            else:
                job = self._revive(id.decode(), record)
                if job is not None:
                    jobs.append(job)
        if stale:
            retry.forget_due(stale)
        self._fired += len(entries)
        await partition.start(jobs)

    async def _keep(self, id: bytes, value: bytes, now_ms: int) -> None:
        prefix = id[: id.index(b"/") + 1]
        if prefix in self.keepers:
            await self.keepers[prefix](id, value, now_ms)

    def _revive(self, id: str, record: StateRecord) -> Job | None:
        """The job of a parked record, in flight; None when it was settled at once."""
        job, decision = self._recall(id, record)
        self._partition.in_flight[id] = job
        if job.cancel_reason is not None:  # its worker went before it could end
            job.started_ms = record.document.get("started_ms", 0)
            self._partition.settle(job, Cancelled(job.cancel_reason))
            return None
        if job.task is None:
            self._partition.settle(job, self._without_task(job, decision))
            return None
        if decision is not None:
            self._partition.settle(job, decision)
            return None
        return self._next_attempt(job, JobState(record.document["state"]), record)

    def recall(self, id: str, record: StateRecord) -> Job:
        """The job of a parked record with its past, for its next attempt."""
        return self._recall(id, record)[0]

    def _recall(self, id: str, record: StateRecord) -> tuple[Job, Decision | None]:
        assert record.raw is not None
        document = record.document
        read = self._reader.read_for(document["task"], id, record.raw, Position(*document["at"]))
        if read is None:
            job, decision = self._orphan(id, record), None
        else:
            job, decision = read
        self._remember_past(job, id, record)
        return job, decision

    def _orphan(self, id: str, record: StateRecord) -> Job:
        """A job whose record no task asks for any more."""
        assert record.raw is not None
        position = Position(*record.document["at"])
        return self._reader.bare_job(id, record.document["task"], record.raw, position)

    def _without_task(self, job: Job, decision: Decision | None) -> Decision:
        if isinstance(decision, DeadLettered):
            return decision
        return self._reader.unknown_again(job)

    def _remember_past(self, job: Job, id: str, record: StateRecord) -> None:
        document = record.document
        job.id = id
        job.task_name = document["task"]
        job.partition = self._partition
        job.stored = JobState(document["state"])
        job.due_ms = job.ready_ms = record.due_ms
        job.revision = record.revision
        job.attempt = document["attempt"] + 1
        job.enqueued_ms = document.get("enqueued_ms", job.enqueued_ms)
        job.first_failed_ms = document.get("first_failed_ms")
        job.deadline_ms = document.get("deadline_ms")
        job.steps = document.get("steps")
        job.suspected = document.get("suspected", 0)
        job.alone = document.get("alone", 0)
        job.unknown_since_ms = document.get("unknown_since_ms")
        job.progress = document.get("progress")
        job.attempts = history.before(document)
        job.cancel_reason = document.get("cancel_reason")
        job.cancelled_by = document.get("cancelled_by")
        if gives_way(record):
            job.is_workflow, job.then, job.origin = True, document.get("then"), {"root": id}

    def _next_attempt(self, job: Job, state: JobState, record: StateRecord) -> Job | None:
        """Count the attempt that was running when its worker went, and give up a job that kills its
        workers."""
        if state is not JobState.RUNNING:
            job.attempt_is_risky = self._partition.suspicion.of_parked(record.due_ms)
            return job
        if not self._partition.suspicion.any:
            job.attempt -= 1  # handed over in good order: that attempt did not fail
            job.attempt_is_risky = True
            return job
        assert job.task is not None
        max_tries = job.task.settings.max_tries
        if job.attempt > max_tries:
            if job.alone:
                job.started_ms = record.document.get("started_ms", 0)  # its end is told by its last record
                message = f"the worker was lost in attempt {max_tries} of {max_tries}"
                self._partition.settle(job, DeadLettered(Reason.WORKER_LOST, Failure("WorkerLost", message)))
                return None
            job.attempt = max_tries
        job.attempts = history.before(record.document, lost=True)
        self._quarantine.add(job)
        return None
