"""What a log line says about a job: who it is, what came of it; its payload only if the task says so."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple, assert_never

from consumers.failures import name_of
from consumers.outcomes import (
    Cancelled,
    Completed,
    DeadLettered,
    Discarded,
    Expired,
    Failure,
    Outcome,
    RetryLater,
    Skipped,
)
from consumers.verdicts import Retry

if TYPE_CHECKING:
    from consumers.engine.job import Job

ARGUMENTS_LIMIT_CHARACTERS: Final = 2_000
ASKED: Final = name_of(Retry)  # the handler raised it to wait, nothing failed


class Line(NamedTuple):
    level: str
    event: str
    fields: dict[str, Any]


def identity(job: "Job") -> dict[str, Any]:
    """The fields every line about a job carries."""
    event, position = job.event, job.position
    fields = {
        "job_id": job.id,
        "task": job.task_name,
        "attempt": job.attempt,
        "event_id": event.id,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
    }
    if event.extensions and (trace_id := event.trace_id):
        fields["trace_id"] = trace_id
    return fields


def started_line(job: "Job") -> Line:
    if job.task is None or not job.task.settings.log_args:
        return Line("info", "task_started", {})
    given = job.args if job.task.is_plain else job.event.data
    return Line("info", "task_started", {"args": _shortened(given)})


def outcome_lines(job: "Job", outcome: Outcome, duration_seconds: float | None, now_ms: int) -> list[Line]:
    """The lines an outcome is worth: the attempt that failed, if one did, then what became of the job."""
    ran = {} if duration_seconds is None else {"duration_seconds": round(duration_seconds, 6)}
    match outcome:
        case Completed():
            return [Line("info", "task_completed", ran)]
        case RetryLater(due_ms, failure):
            defer = {"defer_seconds": round(max(due_ms - now_ms, 0) / 1000, 3)}
            if not outcome.counted or failure.type == ASKED:
                return [Line("info", "task_retrying", {**defer, **ran, "asked_by": "handler"})]
            return [_failed(failure, ran), Line("warning", "task_retrying", {**defer, **_error(failure)})]
        case DeadLettered(reason, failure):
            decided = Line("error", "task_dead_lettered", {"reason": reason.value, **_error(failure)})
            return [_failed(failure, ran), decided] if ran else [decided]
        case Discarded(reason):
            return [Line("info", "task_discarded", {"reason": reason, **ran})]
        case Skipped():
            return [Line("debug", "task_skipped", {})]
        case Cancelled(reason):
            return [Line("info", "task_cancelled", {"reason": reason, **ran})]
        case Expired(failure):
            decided = Line("warning", "task_expired", _error(failure))
            return [_failed(failure, ran), decided] if ran else [decided]
        case _:
            assert_never(outcome)


def _failed(failure: Failure, ran: dict[str, float]) -> Line:
    stack = {"exception": failure.stack} if failure.stack else {}
    return Line("warning", "task_failed", {**_error(failure), **ran, **stack})


def _error(failure: Failure) -> dict[str, str]:
    return {"error_type": failure.type, "error": failure.message}


def _shortened(given: Any) -> Any:
    text = repr(given)
    return given if len(text) <= ARGUMENTS_LIMIT_CHARACTERS else text[:ARGUMENTS_LIMIT_CHARACTERS] + "…"
