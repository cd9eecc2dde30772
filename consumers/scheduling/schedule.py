"""One schedule: what is to run, when, and what becomes of times that cannot be kept. A frozen value.

It travels as a document of the registry topic, so that any worker can fire it, whatever code it has.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from consumers.scheduling.timetable import Timetable

Missed = Literal["skip", "once", "all"]
Overlap = Literal["allow", "skip", "queue"]
MISSED: Final[tuple[Missed, ...]] = get_args(Missed)
OVERLAP: Final[tuple[Overlap, ...]] = get_args(Overlap)
PUNCTUAL_SECONDS: Final = 60.0
"""A time that is kept with no more delay than this was not missed: a worker restarted, or one took over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`place` is its file and line where this process declared it, else empty."""

    name: str
    task: str
    timetable: Timetable
    args: Mapping[str, Any] = field(default_factory=dict)
    missed: Missed = "once"
    overlap: Overlap = "allow"
    catch_up_seconds: float = 86_400.0
    jitter_seconds: float = 0.0
    place: str = ""

    @property
    def window_ms(self) -> int:
        """How late a time may be kept; later it is skipped."""
        if self.missed == "skip" and self.overlap != "queue":
            return int(min(self.catch_up_seconds, PUNCTUAL_SECONDS) * 1000)
        return int(self.catch_up_seconds * 1000)

    @property
    def timing(self) -> str:
        """Changes exactly when the times do."""
        table = self.timetable
        return f"{table.cron or table.every_ms} {table.timezone}{' and' if table.day_and else ''}"

    def start_ms(self, scheduled_ms: int) -> int:
        """When the job of a time starts: later by the jitter, the same for a time whoever asks."""
        span_ms = int(self.jitter_seconds * 1000)
        if span_ms <= 0:
            return scheduled_ms
        return scheduled_ms + zlib.crc32(f"{self.name} {scheduled_ms}".encode()) % (span_ms + 1)

    def document(self) -> dict[str, Any]:
        """As workers announce it; without who announces it."""
        table = self.timetable
        return {
            "schedule": self.name,
            "task": self.task,
            "cron": table.cron,
            "every_seconds": None if table.every_ms is None else table.every_ms / 1000,
            "timezone": table.timezone,
            "day_and": table.day_and,
            "missed": self.missed,
            "overlap": self.overlap,
            "catch_up_seconds": self.catch_up_seconds,
            "jitter_seconds": self.jitter_seconds,
            "args": dict(self.args),
        }


def schedule_from(document: Mapping[str, Any]) -> Schedule:
    """The schedule of an announced document. Raises `ValueError` for one this release cannot read."""
    try:
        every = document.get("every_seconds")
        schedule = Schedule(
            name=_text(document["schedule"]),
            task=_text(document["task"]),
            timetable=Timetable(
                cron=document.get("cron"),
                every_ms=None if every is None else round(every * 1000),
                timezone=_text(document.get("timezone", "UTC")),
                day_and=bool(document.get("day_and", False)),
            ),
            args=dict(document.get("args") or {}),
            missed=document.get("missed", "once"),
            overlap=document.get("overlap", "allow"),
            catch_up_seconds=float(document.get("catch_up_seconds", 86_400.0)),
            jitter_seconds=float(document.get("jitter_seconds", 0.0)),
        )
        if schedule.missed not in MISSED or schedule.overlap not in OVERLAP:
            raise ValueError(f"missed={schedule.missed!r}, overlap={schedule.overlap!r}")
        if (schedule.timetable.cron is None) == (not schedule.timetable.every_ms):
            raise ValueError("neither cron nor every_seconds, or both")
        schedule.timetable.check()
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a schedule: {error!r}") from None
    return schedule


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"wanted text, not {value!r:.60}")
    return value
