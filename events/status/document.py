"""What a folded job looks like to people and programs: pure."""

import math
from typing import Any, Final

from events.status.folded import Folded, event_of, newest, request_state, time_of
from schemas.job import JobState
from schemas.status import (
    JobAttempt,
    JobError,
    JobEvent,
    JobOrigin,
    JobProgress,
    JobStatus,
    moment,
)

_WAITS: Final = frozenset({JobState.PENDING, JobState.SCHEDULED, JobState.RETRYING})
_TIMED_OUT: Final = "TaskTimeout"


def status_of(job_id: str, job: Folded, children: list[str] | None = None) -> JobStatus | None:
    """The status of a job from its request and its newest state record; None when there is neither."""
    record, asked = newest(job), job.get("q")
    if record is None:
        return None if asked is None else _pending(job_id, asked, children or [])
    told, asked = record.document, asked or {}
    state = JobState(told["state"])
    source, _, partition = record.place.rpartition("/")
    return JobStatus(
        job_id=job_id,
        task=told["task"],
        state=state,
        finished=state.finished,
        revision=record.revision,
        attempt=max(told["attempt"], 0),
        source=source,
        partition=int(partition),
        priority=_text(told.get("priority")) or asked.get("priority"),
        enqueued_at=moment(time_of(told, asked)),
        due_at=moment(record.due_ms) if state in _WAITS else None,
        started_at=moment(told.get("started_ms")),
        finished_at=moment(told.get("finished_ms")),
        deadline_at=moment(told.get("deadline_ms") or asked.get("deadline")),
        expires_at=moment(record.expires_ms),
        worker=_text(told.get("worker")),
        attempts=attempts_of(told, state),
        error=_error(told.get("error")),
        result=told.get("result"),
        progress=_progress(told.get("progress")),
        cancel_reason=_text(told.get("cancel_reason")),
        event=_event(event_of(told) or asked.get("event")),
        origin=_origin(told.get("at") or asked.get("at")),
        key=_text(told.get("key")),
        parent=_text(told.get("parent")) or asked.get("parent"),
        root=_text(told.get("root")) or asked.get("root"),
        step=_text(told.get("step")) or asked.get("step"),
        schedule=_text(told.get("schedule")) or asked.get("schedule"),
        scheduled_at=moment(told.get("scheduled_ms") or asked.get("scheduled")),
        children=children or [],
    )


def _pending(job_id: str, asked: dict[str, Any], children: list[str]) -> JobStatus:
    origin = _origin(asked["at"])
    return JobStatus(
        job_id=job_id,
        task=asked["task"],
        state=request_state(asked),
        finished=False,
        revision=0,
        attempt=0,
        source="jobs",
        partition=asked["at"][1],
        priority=asked["priority"],
        enqueued_at=moment(asked["ms"]),
        due_at=moment(asked.get("due")),
        deadline_at=moment(asked.get("deadline")),
        event=_event(asked.get("event")),
        origin=origin,
        parent=asked.get("parent"),
        root=asked.get("root"),
        step=asked.get("step"),
        schedule=asked.get("schedule"),
        scheduled_at=moment(asked.get("scheduled")),
        children=children,
    )


def attempts_of(told: dict[str, Any], state: JobState) -> list[JobAttempt]:
    """Every ended attempt: those the record lists, and the newest, which it tells by itself."""
    listed = told.get("attempts")
    found = [_attempt(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if told.get("started_ms") and state is not JobState.RUNNING:
        error = told.get("error")
        timed_out = isinstance(error, dict) and str(error.get("type")).endswith(_TIMED_OUT)
        last = {
            "n": told["attempt"] + bool(told.get("uncounted")),
            "ended_ms": told.get("ended_ms") or told.get("finished_ms"),
            "outcome": "timed_out" if timed_out else state.value,
        }
        found.append(_attempt(told | last))
    return found


def _attempt(entry: dict[str, Any]) -> JobAttempt:
    number = entry.get("n")
    return JobAttempt(
        n=number if isinstance(number, int) else 0,
        outcome=_text(entry.get("outcome")) or "",
        started_at=moment(entry.get("started_ms")),
        ended_at=moment(entry.get("ended_ms")),
        worker=_text(entry.get("worker")),
        error=_error(entry.get("error")),
    )


def _error(told: Any) -> JobError | None:
    if not isinstance(told, dict):
        return None
    return JobError(
        type=_text(told.get("type")) or "",
        message=_text(told.get("message")) or "",
        stack=_text(told.get("stack")),
    )


def _progress(told: Any) -> JobProgress | None:
    if not isinstance(told, dict):
        return None
    return JobProgress(
        done=_number(told.get("done")),
        total=_number(told.get("total")),
        note=_text(told.get("note")),
        at=moment(told.get("at_ms")),
    )


def _event(event: list[str] | None) -> JobEvent | None:
    return None if event is None else JobEvent(id=event[0], type=event[1], source=event[2])


def _origin(at: Any) -> JobOrigin | None:
    try:
        topic, partition, offset = at
        return JobOrigin(topic=topic, partition=partition, offset=offset)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
