"""What the read model keeps of a request for a job: pure, from the record of a jobs topic."""

from typing import Any

from pydantic import ValidationError

from events import codec
from events.errors import Undecodable
from schemas.job import JOB_REQUESTED, JobRequested

_TYPE = ("ce_type", JOB_REQUESTED.encode())


def request_of(record: Any, priority: str) -> tuple[str, dict[str, Any]] | None:
    """(job id, request) of a record; None for one that asks for no job.

    `ms` is when it was asked for by the log's clock, `at` where, `due` not before when.
    """
    data = _data_of(record)
    if data is None:
        return None
    try:
        asked = JobRequested.model_validate_json(data)
    except ValidationError:
        return None  # workers set it aside as invalid
    request: dict[str, Any] = {
        "task": asked.task,
        "ms": max(record.timestamp, 0),
        "at": [record.topic, record.partition, record.offset],
        "priority": priority,
    }
    optional = {
        "due": asked.not_before_ms,
        "deadline": asked.deadline_ms,
        "parent": asked.parent,
        "root": asked.root,
        "step": asked.step,
        "schedule": asked.schedule,
        "scheduled": asked.scheduled_ms,
        "unique": asked.unique or None,
        "event": _event_of(asked.event),
    }
    request.update((name, value) for name, value in optional.items() if value is not None)
    return asked.job_id, request


def _data_of(record: Any) -> bytes | None:
    if _TYPE in record.headers:
        return record.value  # type: ignore[no-any-return]
    try:
        event = codec.decode(
            key=record.key,
            value=record.value,
            headers=record.headers,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )
    except Undecodable:
        return None
    return event.raw_data if event.type == JOB_REQUESTED else None


def _event_of(event: dict[str, Any] | None) -> list[str] | None:
    if event is None:
        return None
    parts = [event.get(name) for name in ("id", "type", "source")]
    return parts if all(isinstance(part, str) for part in parts) else None  # type: ignore[return-value]
