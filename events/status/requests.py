"""What the read model keeps of a request for a job: pure, from the record of a jobs topic."""

from typing import Any, Final

import orjson
from pydantic import ValidationError

from events import codec
from events.errors import Undecodable
from events.status.store import Partition
from schemas.job import JOB_REQUESTED, MAX_JOB_ID_CHARACTERS, MAX_TASK_CHARACTERS, JobRequested
from schemas.state import is_reserved

_TYPE: Final = ("ce_type", JOB_REQUESTED.encode())
_PLAIN: Final = frozenset({"task", "job_id", "args", "idempotency_key"})
_NONE: Final[dict[str, Any]] = {}
_KEPT: Final = (
    ("not_before_ms", "due"),
    ("deadline_ms", "deadline"),
    ("parent", "parent"),
    ("root", "root"),
    ("step", "step"),
    ("schedule", "schedule"),
    ("scheduled_ms", "scheduled"),
    ("unique", "unique"),
)


def request_of(record: Any, partition: Partition, priority: str) -> tuple[str, dict[str, Any]] | None:
    """(job id, request) of a record of this partition; None for one that asks for no job.

    `ms` is when it was asked for by the log's clock, `at` where, `due` not before when.
    """
    data = _data_of(record, partition)
    if data is None:
        return None
    plain = _plain(data)
    asked = plain or _checked(data)
    if asked is None:
        return None
    request: dict[str, Any] = {
        "task": asked["task"],
        "ms": max(record.timestamp, 0),
        "at": [*partition, record.offset],
        "priority": priority,
    }
    if plain is None:
        _keep(asked, request)
    return asked["job_id"], request


def _keep(asked: dict[str, Any], request: dict[str, Any]) -> None:
    for name, kept in _KEPT:
        if value := asked.get(name):
            request[kept] = value
    if (event := asked.get("event")) is not None and (named := _event_of(event)) is not None:
        request["event"] = named


def _plain(data: bytes) -> dict[str, Any] | None:
    """The request when it holds nothing but what most do: the check of every field would cost the most."""
    try:
        asked = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(asked, dict) or not _PLAIN.issuperset(asked):
        return None
    id, task = asked.get("job_id"), asked.get("task")
    if not isinstance(id, str) or not isinstance(task, str) or not isinstance(asked.get("args", _NONE), dict):
        return None
    if not 0 < len(id) <= MAX_JOB_ID_CHARACTERS or not 0 < len(task) <= MAX_TASK_CHARACTERS:
        return None
    return None if is_reserved(id.encode()) else asked


def _checked(data: bytes) -> dict[str, Any] | None:
    """The request if workers take it; None for one they set aside as invalid."""
    try:
        return JobRequested.model_validate_json(data).model_dump(exclude_defaults=True)
    except ValidationError:
        return None


def _data_of(record: Any, partition: Partition) -> bytes | None:
    if _TYPE in record.headers:
        return record.value  # type: ignore[no-any-return]
    try:
        event = codec.decode(
            key=record.key,
            value=record.value,
            headers=record.headers,
            topic=partition[0],
            partition=partition[1],
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
