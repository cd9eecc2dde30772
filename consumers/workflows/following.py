"""What follows a job that ended, as records to send when it is settled."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from consumers.engine.decisions import Broken, Decision
from consumers.engine.job import Job
from consumers.engine.records import NO_RESULT, result_of
from consumers.errors import OutputFailed
from consumers.outcomes import Cancelled, Completed, DeadLettered, Discarded, Expired
from consumers.outputs import Output
from consumers.settings import WorkerSettings
from consumers.workflows.actions import Ended
from consumers.workflows.algebra import proceed
from consumers.workflows.outgoing import cancel_output, output_of, trace_of
from events.times import now_ms
from events.topics import Source
from schemas.job import JobState
from schemas.workflow import INLINE_BYTES, Json, WorkflowCancelled


def ends_badly(decision: Decision) -> bool:
    """Whether a job ended and its result will never come."""
    return isinstance(decision, DeadLettered | Discarded | Cancelled | Expired | Broken)


class Following:
    """Knows what follows the jobs of a worker. `max_result_bytes` is the size of results that are kept."""

    def __init__(
        self, *, app_id: str, now_ms: Callable[[], int], max_result_bytes: int, jobs_partitions: int = 1
    ) -> None:
        self._app_id = app_id
        self._jobs_partitions = jobs_partitions
        self._now_ms = now_ms
        self._max_result_bytes = max_result_bytes

    @classmethod
    def of(cls, settings: WorkerSettings, sources: Iterable[Source]) -> "Following":
        """That of a worker which has these sources."""
        return cls(
            app_id=settings.app_id,
            now_ms=now_ms,
            max_result_bytes=settings.max_result_bytes,
            jobs_partitions=next((each.partitions or 1 for each in sources if each.is_jobs), 1),
        )

    def outputs(self, job: Job, decision: Decision) -> list[Output]:
        """The records that go on with the workflow of `job`; none when it has none or has not ended.

        Raises `OutputFailed` for a result the next step cannot have.
        """
        told = []
        if job.is_workflow and isinstance(decision, Cancelled):
            told = self._cancelled(job, decision.reason)
        return [*told, *self._follows(job, decision)]

    def _cancelled(self, job: Job, reason: str) -> list[Output]:
        cancelled = WorkflowCancelled(root=job.id, reason=reason, command_id=job.cancelled_by or "")
        return [cancel_output(cancelled, self._app_id, number) for number in range(self._jobs_partitions)]

    def _follows(self, job: Job, decision: Decision) -> list[Output]:
        if not job.then:
            return []
        ended = self._ended(job, decision)
        if ended is None:
            return []
        root = (job.origin or {}).get("root") or job.id
        actions = proceed(job.then, ended, root=root, now_ms=self._now_ms())
        trace = trace_of(job.event)
        return [output_of(action, self._app_id, trace) for action in actions]

    def _ended(self, job: Job, decision: Decision) -> Ended | None:
        match decision:
            case Completed(result):
                return _ended(job, JobState.COMPLETED, input=self._input(job, result))
            case DeadLettered(_, failure):
                return _ended(job, JobState.FAILED, error=failure.document())
            case Expired(failure):
                return _ended(job, JobState.EXPIRED, error=failure.document())
            case Cancelled(reason):
                return _ended(job, JobState.CANCELLED, error={"type": "Cancelled", "message": reason})
            case Discarded(reason):
                return _ended(job, JobState.DISCARDED, error={"type": "Discarded", "message": reason})
            case Broken(state, _, cause):
                return _ended(job, state, cause=cause)
            case _:
                return None

    def _input(self, job: Job, result: Any) -> Json:
        plain, why_not = result_of(result, self._max_result_bytes)
        if plain is NO_RESULT:
            raise OutputFailed(
                f"the next step of the workflow cannot have what {job.task_name} returned: {why_not}"
            )
        if plain is None or len(orjson.dumps(plain)) <= INLINE_BYTES:
            return {"value": plain}
        assert job.partition is not None
        job.keeps_result = True
        ledger = job.partition.ledger
        known = ledger.last if ledger.last is not None else ledger.db.offset if ledger.db else 0
        place = {"source": job.source, "partition": job.partition.number, "offset": max(known, 0)}
        return {"result": place | {"job_id": job.id}}


def _ended(job: Job, state: JobState, **how: Any) -> Ended:
    return Ended(job.id, job.task_name, (job.origin or {}).get("step"), state, **how)
