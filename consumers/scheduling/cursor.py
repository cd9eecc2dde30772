"""How far a schedule has got: the record `schedule/<name>` of the retry topic."""

from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.schedule import cursor_key, schedule_of
from schemas.state import StateRecord, decode_state, encode_state

STATE: Final = "schedule"
MOST_JOBS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`next_ms` is the time not decided about yet, None when there is none; `jobs` may be unfinished."""

    schedule: str
    timing: str
    next_ms: int | None
    last_ms: int | None = None
    paused: bool = False
    last_outcome: dict[str, Any] | None = None
    jobs: tuple[str, ...] = ()
    revision: int = 0
    due_ms: int = 0

    @property
    def key(self) -> bytes:
        return cursor_key(self.schedule)

    def moved(self, **changes: Any) -> "Cursor":
        """The cursor that replaces this one: a revision later, due at its next time unless paused."""
        new = replace(self, **changes, revision=self.revision + 1)
        return replace(new, due_ms=0 if new.paused or new.next_ms is None else new.next_ms)

    def encode(self, writer: int) -> bytes:
        document = {
            "state": STATE,
            "schedule": self.schedule,
            "timing": self.timing,
            "next_ms": self.next_ms,
            "last_ms": self.last_ms,
            "paused": self.paused,
            "last_outcome": self.last_outcome,
            "jobs": self.jobs[-MOST_JOBS:],
        }
        return encode_state(document, due_ms=self.due_ms, writer=writer, revision=self.revision)


def read_cursor(key: bytes, value: bytes) -> Cursor | None:
    """The cursor of a record; None for one no worker wrote."""
    try:
        record: StateRecord = decode_state(value)
        document, name = record.document, schedule_of(key)
        if document["state"] != STATE or document["schedule"] != name:
            return None
        return Cursor(
            schedule=name,
            timing=str(document["timing"]),
            next_ms=document["next_ms"],
            last_ms=document["last_ms"],
            paused=bool(document["paused"]),
            last_outcome=document["last_outcome"],
            jobs=tuple(document["jobs"]),
            revision=record.revision,
            due_ms=record.due_ms,
        )
    except (ValueError, KeyError, TypeError):
        return None
