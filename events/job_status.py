"""What a client is told about a job: its state, its result, or why there is none."""

from dataclasses import dataclass, field
from typing import Any

from events.errors import (
    JobCancelled,
    JobDiscarded,
    JobExpired,
    JobFailed,
    JobNotCompleted,
    ResultNotKept,
)
from schemas.command import Answer
from schemas.job import JobState
from schemas.state import StateRecord

_ERRORS: dict[JobState, type[JobNotCompleted]] = {
    JobState.FAILED: JobFailed,
    JobState.CANCELLED: JobCancelled,
    JobState.EXPIRED: JobExpired,
    JobState.DISCARDED: JobDiscarded,
}


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as it was a moment ago. Times are milliseconds since 1970; None where there is none (yet).

    `pending` is a job no worker has said anything of: not read yet, waiting, or running since a moment ago.
    """

    job_id: str
    state: JobState
    task: str | None = None
    attempt: int = 0
    attempts: list[dict[str, Any]] = field(default_factory=list)  # those that ended before this one
    enqueued_ms: int | None = None
    started_ms: int | None = None
    finished_ms: int | None = None
    due_ms: int | None = None
    worker: str | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None
    cancel_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What became of a command. `job_state` is the job's state then, `why` says why it was refused."""

    answer: Answer
    job_state: JobState | None = None
    why: str | None = None
    due_ms: int | None = None


def status_of(job_id: str, record: StateRecord | None) -> JobStatus:
    """The status a state record tells of."""
    if record is None:
        return JobStatus(job_id, JobState.PENDING)
    document = record.document
    return JobStatus(
        job_id,
        JobState(document["state"]),
        task=document.get("task"),
        attempt=document.get("attempt", 0),
        attempts=list(document.get("attempts") or ()),
        enqueued_ms=document.get("enqueued_ms"),
        started_ms=document.get("started_ms") or None,
        finished_ms=document.get("finished_ms"),
        due_ms=record.due_ms or None,
        worker=document.get("worker"),
        result=document.get("result"),
        error=document.get("error"),
        progress=document.get("progress"),
        cancel_reason=document.get("cancel_reason"),
    )


def result_of(status: JobStatus) -> Any:
    """The result of a job that finished. Raises JobNotCompleted as it ended, ResultNotKept."""
    error = status.error or {}
    if status.state is JobState.COMPLETED:
        if error.get("type") == "ResultNotKept":
            raise ResultNotKept(f"job {status.job_id} completed; {error.get('message')}")
        return status.result
    said = status.cancel_reason or ": ".join(
        str(error[part]) for part in ("type", "message") if error.get(part)
    )
    kind = _ERRORS.get(status.state, JobNotCompleted)
    raise kind(f"job {status.job_id} of {status.task} {status.state}: {said}", status=status)


def answer_of(record: StateRecord) -> CommandAnswer:
    """The answer a ledger record holds."""
    document = record.document
    state = document.get("job_state")
    return CommandAnswer(
        Answer(document["answer"]),
        None if state is None else JobState(state),
        document.get("why"),
        document.get("due_ms"),
    )
