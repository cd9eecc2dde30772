"""From what the read model keeps to what the routes answer with: pure."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from events.dead_letters import letter_of
from events.gateway.read_models import (
    LastOccurrence,
    Letter,
    LetterHeader,
    LetterInfo,
    ScheduleInfo,
    TaskInfo,
    WorkerInfo,
)
from events.log_reader import LogRecord
from schemas.deadletter import DeadLetterHeader
from schemas.job import JobState
from schemas.status import moment

SILENT_AFTER_MS: Final = 20_000
"""Four heartbeats."""

Told = Mapping[str, Any]


def task_info(name: str, told: Told | None, states: dict[JobState, int]) -> TaskInfo:
    """A task; `told` is its announcement, None when there is none."""
    if told is None:
        return TaskInfo(task=name, announced=False, states=states)
    on, schema = told.get("on"), told.get("schema")
    return TaskInfo(
        task=name,
        removed=bool(told.get("removed")),
        release=_text(told.get("release")),
        arguments=schema if isinstance(schema, dict) else None,
        on=[each for each in on if isinstance(each, dict)] if isinstance(on, list) else [],
        timeout_seconds=_number(told.get("timeout_seconds")),
        max_tries=_whole(told.get("max_tries")),
        priority=_text(told.get("priority")),
        doc=_text(told.get("doc")),
        module=_text(told.get("module")),
        states=states,
    )


def worker_info(name: str, told: Told, now_ms: int) -> WorkerInfo:
    """A worker from its last sign of life."""
    state, at_ms = _text(told.get("state")) or "unknown", _whole(told.get("at_ms")) or 0
    partitions, tasks = told.get("partitions"), told.get("tasks")
    return WorkerInfo(
        worker=name,
        state=state,
        silent=state != "stopped" and now_ms - at_ms > SILENT_AFTER_MS,
        release=_text(told.get("release")),
        started_at=moment(told.get("started_ms")),
        seen_at=moment(at_ms),
        partitions=_partitions(partitions),
        running=_whole(told.get("running")),
        tasks=[each for each in tasks if isinstance(each, str)] if isinstance(tasks, list) else [],
    )


def _partitions(told: Any) -> dict[str, list[int]]:
    if not isinstance(told, dict):
        return {}
    return {
        source: [each for each in numbers if isinstance(each, int)]
        for source, numbers in told.items()
        if isinstance(numbers, list)
    }


def letter_info(facts: Told) -> LetterInfo:
    """A letter from what the read model lists of it."""
    return LetterInfo(**_letter(facts))


def _letter(facts: Told) -> dict[str, Any]:
    plain = {
        name: facts[name] for name in ("id", "source", "topic", "partition", "offset", "reason", "attempts")
    }
    optional = ("job_id", "task", "exception_type", "exception_message", "origin_topic", "release")
    return {
        **plain,
        **{name: facts.get(name) or None for name in optional},
        "origin_partition": facts.get("origin_partition"),
        "origin_offset": facts.get("origin_offset"),
        "written_at": moment(facts["ms"]),
        "first_failed_at": moment(facts.get("first_failed_ms")),
        "last_failed_at": moment(facts.get("last_failed_ms")),
    }


def whole_letter(facts: Told, record: LogRecord) -> Letter:
    """A letter with everything that is in its record."""
    letter = letter_of(record, facts["source"])
    return Letter(
        **_letter(facts),
        exception_stack=letter.fact(DeadLetterHeader.EXCEPTION_STACK) or None,
        key=_shown("key", letter.key),
        value=_shown("value", letter.value),
        headers=[_shown(name, content) for name, content in letter.original_headers],
    )


def _shown(name: str, content: bytes | None) -> LetterHeader:
    if content is None:
        return LetterHeader(name=name)
    try:
        return LetterHeader(name=name, value=content.decode())
    except UnicodeDecodeError:
        return LetterHeader(name=name, value=base64.b64encode(content).decode(), base64=True)


def schedule_info(name: str, told: Told) -> ScheduleInfo:
    """A schedule from its announcement and the cursor with it."""
    cursor, args = told.get("cursor") or {}, told.get("args")
    paused, outcome = bool(cursor.get("paused")), cursor.get("last_outcome")
    texts = ("task", "cron", "timezone", "missed", "overlap", "release")
    numbers = ("every_seconds", "catch_up_seconds", "jitter_seconds")
    return ScheduleInfo(
        schedule=name,
        **{field: _text(told.get(field)) for field in texts},
        **{field: _number(told.get(field)) for field in numbers},
        args=args if isinstance(args, dict) else {},
        paused=paused,
        next_at=None if paused else moment(cursor.get("next_ms")),
        last_at=moment(cursor.get("last_ms")),
        last_outcome=_occurrence(outcome) if isinstance(outcome, dict) else None,
    )


def _occurrence(told: Told) -> LastOccurrence:
    return LastOccurrence(
        outcome=_text(told.get("outcome")),
        scheduled_at=moment(told.get("scheduled_ms")),
        why=_text(told.get("why")),
        job_id=_text(told.get("job_id")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
