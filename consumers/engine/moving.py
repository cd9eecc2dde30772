"""Running a job at another time: rescheduling a parked one, and running once more what ended badly."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from consumers.engine import history
from consumers.engine.asked import Asked
from consumers.engine.decisions import Parked
from consumers.engine.job import Job
from consumers.engine.parking import Parking
from consumers.engine.reader import Reader
from consumers.engine.standing import Standing, said, state_of
from consumers.outcomes import DeadLettered
from consumers.retry import LAST_MS
from schemas.command import Answer
from schemas.job import JobState
from schemas.state import Position, RawRecord, StateRecord

ENDED_BADLY: Final = (JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED, JobState.DISCARDED)
FindOriginal = Callable[[str, Position], Awaitable[RawRecord | None]]
"""The record that asked for a job, by its id and place; None when Kafka has dropped it."""


class Moving:
    """Does `reschedule`, `retry` and `redrive` for the jobs of one partition."""

    def __init__(
        self,
        *,
        standing: Standing,
        parking: Parking,
        reader: Reader,
        find_original: FindOriginal,
        now_ms: Callable[[], int],
    ) -> None:
        self._standing = standing
        self._partition = standing.partition
        self._parking = parking
        self._reader = reader
        self._find_original = find_original
        self._now_ms = now_ms

    async def reschedule(self, asked: Asked) -> dict[str, Any]:
        """Give a parked job another due time."""
        due_ms = asked.body.get("due_ms")
        if type(due_ms) is not int or not 0 <= due_ms <= LAST_MS:
            return said(Answer.REFUSED, why="due_ms is a time in milliseconds since 1970")
        job = await self._standing.in_flight(asked.about)
        if job is not None:
            return said(Answer.NOT_PARKED, state_of(job))
        record = self._standing.stored(asked.about)
        if record is None:
            return said(Answer.UNKNOWN_JOB)
        state = JobState(record.document["state"])
        if state.finished:
            return said(Answer.ALREADY_FINISHED, state)
        if state is JobState.RUNNING:
            return said(Answer.NOT_PARKED, state)
        return self._park(self._parking.recall(asked.about, record), due_ms, state)

    async def retry(self, asked: Asked) -> dict[str, Any]:
        """Run a job that ended badly once more, with all its tries; a parked one runs now."""
        job = await self._standing.in_flight(asked.about)
        if job is not None:
            return said(Answer.NOT_FAILED, state_of(job))
        record = self._standing.stored(asked.about)
        if record is None:
            return said(Answer.UNKNOWN_JOB)
        state = JobState(record.document["state"])
        if state in (JobState.SCHEDULED, JobState.RETRYING):
            return self._park(self._parking.recall(asked.about, record), self._now_ms(), state)
        if state not in ENDED_BADLY:
            return said(Answer.NOT_FAILED, state)
        original = await self._find_original(asked.about, Position(*record.document["at"]))
        if original is None:
            return said(Answer.REFUSED, state, why="Kafka has dropped the record that asked for it")
        now = self._standing.stored(asked.about)
        if asked.about in self._partition.in_flight or now is None or now.revision != record.revision:
            return said(Answer.NOT_FAILED)  # somebody asked for it anew meanwhile
        return self._again(asked.about, record, original)

    def _again(self, id: str, record: StateRecord, original: RawRecord) -> dict[str, Any]:
        document = record.document
        read = self._reader.read_for(document["task"], id, original, Position(*document["at"]))
        if read is None or isinstance(read.decision, DeadLettered):
            return said(Answer.REFUSED, document["state"], why="its record asks for no such job any more")
        job = read.job
        job.revision = record.revision
        job.attempts = history.before(document)
        job.enqueued_ms = document.get("enqueued_ms", job.enqueued_ms)
        job.deadline_ms = None  # whoever wants an expired job again wants it to run
        self._park(job, self._now_ms(), JobState.SCHEDULED)
        return said(Answer.REDRIVEN, JobState.SCHEDULED)

    def _park(self, job: Job, due_ms: int, state: JobState) -> dict[str, Any]:
        job.partition = self._partition
        self._partition.in_flight[job.id] = job
        self._partition.settle(job, Parked(due_ms, state))
        return said(Answer.RESCHEDULED, state, due_ms=due_ms)

    async def redrive(self, asked: Asked) -> dict[str, Any]:
        """Run the jobs of a letter, each only while the letter is the newest that is known of it."""
        for job in (read.job for read in asked.reads):
            await self._standing.in_flight(job.id)
        new = self._partition.admit(asked.reads)
        runs = any(self._is_on_its_way(read.job) for read in asked.reads)
        await self._partition.start(new)
        if not asked.reads:
            return said(Answer.REFUSED, why="no task asks for it any more")
        if runs:
            return said(Answer.REDRIVEN, JobState.PENDING)
        return said(Answer.NOT_FAILED, self._state_of(asked.about))

    def _is_on_its_way(self, job: Job) -> bool:
        return not job.id or self._partition.in_flight.get(job.id) is job

    def _state_of(self, id: str) -> JobState | str | None:
        job = self._partition.in_flight.get(id)
        if job is not None:
            return state_of(job)
        record = self._standing.stored(id)
        return None if record is None else str(record.document["state"])
