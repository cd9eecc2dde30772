"""What is written about a job: pure functions from (job, outcome, time) to the bytes of state records and
letters.
"""

import dataclasses
from typing import Any, Final

import orjson
from pydantic_core import to_jsonable_python

from consumers.engine.job import Job
from consumers.outcomes import Failure
from schemas.command import ANSWERED, ANSWERS_KEPT_MS
from schemas.deadletter import DeadLetterHeader, Reason, without_own_headers
from schemas.job import JobState
from schemas.state import encode_state

FAILURE_TTL_MS: Final = 7 * 24 * 3600 * 1000
NO_RESULT: Final = object()
_TELL_WHO_CANCELLED: Final = (JobState.RUNNING, JobState.CANCELLED)


@dataclasses.dataclass(frozen=True, slots=True)
class Pen:
    """Who writes: the same for every record of one worker and partition."""

    writer: int
    worker: str
    release: str


def document(job: Job, state: JobState) -> dict[str, Any]:
    """What every state record of a job says."""
    event = job.event
    body: dict[str, Any] = {
        "state": state._value_,  # an enum costs orjson as much as all the rest
        "task": job.task_name,
        "attempt": job.attempt,
        "at": tuple(job.position),
        "event": (event.id, event.type, event.source),
        "enqueued_ms": job.enqueued_ms,
    }
    if job.origin is not None:
        body.update(job.origin)
    if job.broken is not None:
        body["broken"] = job.broken
    if job.attempts is not None:
        body["attempts"] = job.attempts
    if job.progress is not None:
        body["progress"] = job.progress
    if job.cancel_reason is not None and state in _TELL_WHO_CANCELLED:
        body["cancel_reason"] = job.cancel_reason
        body["cancelled_by"] = job.cancelled_by
    return body


def unfinished(
    job: Job,
    state: JobState,
    pen: Pen,
    *,
    due_ms: int,
    failure: Failure | None = None,
    ended_ms: int | None = None,
    counted: bool = True,
) -> bytes:
    """The retry-table record of a job that is not finished: parked, or running and to be remembered.

    `ended_ms` is when its last attempt ended, `counted` whether that one used up a try.
    """
    body = document(job, state)
    body["worker"] = pen.worker
    if job.started_ms:
        body["started_ms"] = job.started_ms
    if job.key is not None:
        body["key"] = job.key.decode(errors="replace")
    if job.first_failed_ms is not None:
        body["first_failed_ms"] = job.first_failed_ms
    if job.deadline_ms is not None:
        body["deadline_ms"] = job.deadline_ms
    if job.steps:
        body["steps"] = job.steps
    if job.suspected:
        body["suspected"] = job.suspected
    if job.alone:
        body["alone"] = job.alone
    if job.unknown_since_ms is not None:
        body["unknown_since_ms"] = job.unknown_since_ms
    if failure is not None:
        body["error"] = failure.document()
    if ended_ms is not None:
        body["ended_ms"] = ended_ms
    if not counted:
        body["uncounted"] = True
    job.revision += 1
    return encode_state(body, due_ms=due_ms, writer=pen.writer, revision=job.revision, raw=job.raw)


def finished(
    job: Job,
    state: JobState,
    pen: Pen,
    *,
    now_ms: int,
    ttl_ms: int,
    result: Any = NO_RESULT,
    failure: Failure | None = None,
) -> bytes:
    """The ledger record of a finished job. `result` must be what `result_of` returned."""
    body = document(job, state)
    body["started_ms"] = job.started_ms
    body["finished_ms"] = now_ms
    body["worker"] = pen.worker
    if result is not NO_RESULT:
        body["result"] = result
    if failure is not None:
        body["error"] = failure.document()
        body["first_failed_ms"] = job.first_failed_ms
    job.revision += 1
    return encode_state(body, expires_ms=now_ms + ttl_ms, writer=pen.writer, revision=job.revision)


def answer(document: dict[str, Any], pen: Pen, now_ms: int) -> bytes:
    """The ledger record that tells what became of a command."""
    body = {"state": ANSWERED, **document, "at_ms": now_ms, "worker": pen.worker}
    return encode_state(body, expires_ms=now_ms + ANSWERS_KEPT_MS, writer=pen.writer, revision=1)


def result_of(value: Any, limit_bytes: int) -> tuple[Any, str | None]:
    """(the result as JSON can hold it, None), or (NO_RESULT, why it is not kept)."""
    if value is None or isinstance(value, bool):
        return value, None
    try:
        plain = to_jsonable_python(value)
        size = len(orjson.dumps(plain))
    except (ValueError, TypeError) as error:
        return NO_RESULT, f"the result cannot be written as JSON: {error}"
    if size > limit_bytes:
        return NO_RESULT, f"the result has {size} bytes, more than the {limit_bytes} that are kept"
    return plain, None


def letter_headers(
    job: Job, reason: Reason, failure: Failure, pen: Pen, now_ms: int
) -> list[tuple[str, bytes | None]]:
    """The headers of a dead letter: the original ones, then ours."""
    origin = job.position
    own: dict[DeadLetterHeader, object] = {
        DeadLetterHeader.REASON: reason,
        DeadLetterHeader.JOB_ID: job.id,
        DeadLetterHeader.TASK: job.task_name,
        DeadLetterHeader.ATTEMPTS: job.attempt if job.id else 0,
        DeadLetterHeader.ORIGIN_TOPIC: origin.topic,
        DeadLetterHeader.ORIGIN_PARTITION: origin.partition,
        DeadLetterHeader.ORIGIN_OFFSET: origin.offset,
        DeadLetterHeader.ORIGIN_TIMESTAMP: job.raw.timestamp_ms,
        DeadLetterHeader.EXCEPTION_TYPE: failure.type,
        DeadLetterHeader.EXCEPTION_MESSAGE: failure.message,
        DeadLetterHeader.EXCEPTION_STACK: failure.stack,
        DeadLetterHeader.FIRST_FAILED_AT: job.first_failed_ms or now_ms,
        DeadLetterHeader.LAST_FAILED_AT: now_ms,
        DeadLetterHeader.RELEASE: pen.release,
        DeadLetterHeader.REVISION: job.revision + 1,
    }
    headers = list(without_own_headers(tuple(job.raw.headers)))
    headers.extend(
        (name.value, str(value).encode()) for name, value in own.items() if value not in ("", None)
    )
    return headers
