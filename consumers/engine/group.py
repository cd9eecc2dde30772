"""What one group commit writes: pure, from settled jobs to records.

Phase 1 holds what must be durable before a job counts as finished (parked records, dead letters), phase 2
the ledger, then the tombstones of retry records that are no longer needed.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, assert_never

from consumers.engine import records
from consumers.engine.decisions import Answered, Broken, Decision, Known, Parked, Rerouted
from consumers.engine.job import Job
from consumers.engine.quick import new_tuple
from consumers.engine.records import FAILURE_TTL_MS, NO_RESULT, Pen
from consumers.engine.statedb import Change
from consumers.outcomes import (
    Cancelled,
    Completed,
    DeadLettered,
    Discarded,
    Expired,
    Failure,
    RetryLater,
    Skipped,
)
from events.topics import ROOMY_BYTES
from schemas.deadletter import Reason
from schemas.job import JobState

BATCH_OVERHEAD_BYTES: Final = (
    16 << 10
)  # room for the key, which is at most a few hundred bytes, and the frame


_FAILURES: Final = (JobState.FAILED, JobState.EXPIRED)


class Settled(NamedTuple):
    """A job and what came of it."""

    job: Job
    decision: Decision


class Letter(NamedTuple):
    """A record for the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(slots=True)
class Group:
    """The records of one group commit, in the order they are written."""

    parked: list[Change] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    ledger: list[Change] = field(default_factory=list)
    tombstones: list[Change] = field(default_factory=list)
    moved: list[tuple[JobState | None, JobState | None]] = field(default_factory=list)
    """As what jobs were in the retry table before, and as what they are after it."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Turns settled jobs into records. `pen` is who writes, `max_result_bytes` the size of results that are
    kept, `max_record_bytes` what the retry topic takes."""

    pen: Pen
    max_result_bytes: int
    max_record_bytes: int = ROOMY_BYTES - BATCH_OVERHEAD_BYTES

    def plan(self, settled: list[Settled], now_ms: int) -> Group:
        """The records. A job too large to be parked is dead-lettered instead, in `settled` as well."""
        group = Group()
        for index, (job, decision) in enumerate(settled):
            try:
                self._add(group, job, decision, now_ms)
            except TooLargeToKeep as error:
                letter = DeadLettered(Reason.FAILED, Failure(type(error).__name__, str(error)))
                settled[index] = Settled(job, letter)
                self._add(group, job, letter, now_ms)
        return group

    def _add(self, group: Group, job: Job, decision: Decision, now_ms: int) -> None:
        match decision:
            case Completed(result):
                self._finish(group, job, JobState.COMPLETED, now_ms, result=result)
            case RetryLater(due_ms, failure, counted):
                if not counted:
                    job.attempt -= 1
                job.first_failed_ms = job.first_failed_ms or now_ms
                self._keep_unfinished(group, job, JobState.RETRYING, due_ms, failure, now_ms, counted)
            case Parked(due_ms, state):
                job.attempt -= 1
                self._keep_unfinished(group, job, state, due_ms)
            case DeadLettered(reason, failure):
                self._set_aside(group, job, reason, failure, JobState.FAILED, now_ms)
            case Expired(failure):
                self._set_aside(group, job, Reason.EXPIRED, failure, JobState.EXPIRED, now_ms)
            case Discarded():
                self._finish(group, job, JobState.DISCARDED, now_ms)
            case Cancelled(reason):
                self._finish(group, job, JobState.CANCELLED, now_ms, failure=Failure("Cancelled", reason))
            case Broken(state, failure):
                self._finish(group, job, state, now_ms, failure=failure)
            case Answered(document):
                group.ledger.append(Change(job.id.encode(), records.answer(document, self.pen, now_ms)))
            case Skipped() | Known() | Rerouted():
                pass
            case _:
                assert_never(decision)

    def _finish(
        self,
        group: Group,
        job: Job,
        state: JobState,
        now_ms: int,
        *,
        result: Any = None,
        failure: Failure | None = None,
    ) -> None:
        if not job.id:
            return
        kept, failure = self._kept_result(job, result, failure)
        ttl_ms = self._ttl_ms(job, state)
        value = records.finished(
            job, state, self.pen, now_ms=now_ms, ttl_ms=ttl_ms, result=kept, failure=failure
        )
        id = job.id.encode()
        group.ledger.append(new_tuple(Change, (id, value, 0)))
        if job.stored is not None:
            group.moved.append((job.stored, None))
            job.stored = None
            group.tombstones.append(Change(id, None, job.due_ms))

    def _kept_result(self, job: Job, result: Any, failure: Failure | None) -> tuple[Any, Failure | None]:
        if result is None or job.task is None or not (job.task.settings.store_result or job.keeps_result):
            return NO_RESULT, failure
        kept, why_not = records.result_of(result, self.max_result_bytes)
        return kept, failure if why_not is None else Failure("ResultNotKept", why_not)

    @staticmethod
    def _ttl_ms(job: Job, state: JobState) -> int:
        if job.task is None:
            return FAILURE_TTL_MS
        settings = job.task.settings
        return settings.failure_kept_ms if state in _FAILURES else settings.kept_ms

    def _keep_unfinished(
        self,
        group: Group,
        job: Job,
        state: JobState,
        due_ms: int,
        failure: Failure | None = None,
        ended_ms: int | None = None,
        counted: bool = True,
    ) -> None:
        value = records.unfinished(
            job, state, self.pen, due_ms=due_ms, failure=failure, ended_ms=ended_ms, counted=counted
        )
        if len(value) > self.max_record_bytes:
            raise TooLargeToKeep(job, len(value), self.max_record_bytes, failure)
        old_due_ms, job.due_ms = job.due_ms, due_ms
        if job.stored is not state:
            group.moved.append((job.stored, state))
            job.stored = state
        group.parked.append(Change(job.id.encode(), value, old_due_ms))

    def _set_aside(
        self, group: Group, job: Job, reason: Reason, failure: Failure, state: JobState, now_ms: int
    ) -> None:
        headers = records.letter_headers(job, reason, failure, self.pen, now_ms)
        group.letters.append(Letter(job.raw.key, job.raw.value, headers))
        self._finish(group, job, state, now_ms, failure=failure)

    def plan_running(self, group: Group, job: Job, now_ms: int) -> None:
        """Add the record of an attempt that is to be remembered while it runs. Raises `TooLargeToKeep`."""
        self._keep_unfinished(group, job, JobState.RUNNING, now_ms)


class TooLargeToKeep(Exception):
    """The event and the steps of an unfinished job are more than a state topic takes."""

    def __init__(self, job: Job, size: int, limit: int, failure: Failure | None) -> None:
        why = "" if failure is None else f"; it failed with {failure.type}: {failure.message}"
        super().__init__(
            f"task {job.task_name!r}: event and steps make a record of {size} bytes, more than the {limit} "
            f"a retry topic takes, so the job can be run but not kept for later{why}"
        )
