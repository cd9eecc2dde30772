"""How often jobs of a task may start: `rate="10/s"`, `"100/min per key"`.

Starts are spaced evenly (GCRA without a burst): with `10/s` at least 100 ms lie between two, so no window of
a second ever sees more than ten. Pure: times are given, in milliseconds.
"""

import re
from dataclasses import dataclass
from typing import Final

_TEXT: Final = re.compile(r"\s*(\d+)\s*/\s*(s|sec|second|min|minute|m|h|hour|d|day)\s*(per\s+key)?\s*")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
KEPT_LINES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` starts in `seconds`, of the task or of each of its record keys, in each partition."""

    count: int
    seconds: int
    per_key: bool = False

    @property
    def interval_ms(self) -> float:
        return self.seconds * 1000 / self.count

    def __str__(self) -> str:
        unit = next(name for name, seconds in _SECONDS.items() if seconds == self.seconds)
        return f"{self.count}/{'min' if unit == 'm' else unit}{' per key' if self.per_key else ''}"


def read_rate(text: object) -> Rate:
    """The rate somebody wrote. Raises ValueError."""
    found = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError("wanted text such as '10/s', '100/min' or '5/h per key'")
    return Rate(int(found[1]), _SECONDS[found[2][0]], found[3] is not None)


@dataclass(slots=True)
class Line:
    """One queue for starts. `free_ms` is when the next may be, `planned_ms` when one that comes now could."""

    free_ms: float
    planned_ms: float

    def start(self, now_ms: int, interval_ms: float) -> bool:
        """Start one now, if that is not too early."""
        if self.free_ms > now_ms:
            return False
        self.free_ms = now_ms + interval_ms
        self.planned_ms = max(self.planned_ms, self.free_ms)
        return True

    def plan(self, now_ms: int, interval_ms: float, *, ahead: int = 0) -> float:
        """The turn of one that comes now: behind all that were given theirs, and `ahead` more that wait."""
        turn_ms = max(now_ms, self.planned_ms, self.free_ms + ahead * interval_ms)
        self.planned_ms = turn_ms + interval_ms
        return turn_ms


class Lines:
    """The lines of one partition. `since_ms` is when it was taken over: its owner before may have started a
    job right then."""

    def __init__(self, since_ms: int) -> None:
        self._since_ms = since_ms
        self._lines: dict[tuple[str, bytes | None], Line] = {}

    def of(self, rate: Rate, task: str, key: bytes | None, now_ms: int) -> Line:
        name = (task, key if rate.per_key else None)
        line = self._lines.get(name)
        if line is None:
            if len(self._lines) >= KEPT_LINES:
                self._forget(now_ms)
            free_ms = self._since_ms + rate.interval_ms
            line = self._lines[name] = Line(free_ms, free_ms)
        return line

    def _forget(self, now_ms: int) -> None:
        """Drop the lines in which nobody waits and anybody could start: they are as new."""
        self._lines = {
            name: line for name, line in self._lines.items() if max(line.free_ms, line.planned_ms) > now_ms
        }
