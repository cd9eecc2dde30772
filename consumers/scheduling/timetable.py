"""The times a schedule names: by a cron expression in a time zone, or every so many seconds. Pure.

Cron as Debian means it, also where clocks change: a fixed time of day that the clock skips runs right after
the gap, one that it shows twice runs the first time only. What runs every hour or minute follows real time:
in the hour that comes twice it runs twice as often, in the hour that is skipped not at all. Seconds are
those of the minutes so found.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_MINUTE_MS: Final = 60_000
_LAST_MS: Final = 253_370_764_800_000  # the year 9999: what calculates with times beyond overflows


@dataclass(frozen=True, slots=True)
class Timetable:
    """`cron` has five fields, or six with seconds first; or `every_ms` counts from 1970-01-01 UTC.

    `day_and`: a day must fit day of month *and* day of week; cron itself takes either.
    """

    cron: str | None = None
    every_ms: int | None = None
    timezone: str = "UTC"
    day_and: bool = False

    def check(self) -> None:
        """Raises `ValueError` when the timetable cannot be read or names no time in fifty years."""
        try:
            zone = ZoneInfo(self.timezone)
        except (OSError, ValueError, KeyError):
            raise ValueError(
                f"timezone={self.timezone!r}: wanted a name such as Europe/Berlin (or install tzdata)"
            ) from None
        if self.cron is None:
            return
        try:
            CronSim(self.cron, dt.datetime.now(zone))
        except CronSimError as error:
            raise ValueError(f"{self.cron!r}: {error}") from None
        if next(self.after(round(dt.datetime.now(zone).timestamp() * 1000)), None) is None:
            raise ValueError(f"{self.cron!r} is never: no such day comes in fifty years")

    def after(self, moment_ms: int) -> Iterator[int]:
        """The times after a moment, ascending; milliseconds since 1970."""
        return self._every(moment_ms) if self.cron is None else self._cron(moment_ms)

    def next_after(self, moment_ms: int) -> int | None:
        """The first time after a moment; None when there is none any more."""
        return next(self.after(moment_ms), None)

    def last_within(self, after_ms: int, until_ms: int) -> int | None:
        """The last time after the one moment and not after the other; None when there is none.

        Looks back from the end, twice as far each time: how long the span is costs nothing.
        """
        if self.every_ms is not None:
            aligned = until_ms - until_ms % self.every_ms
            return aligned if aligned > after_ms else None
        width = _MINUTE_MS
        while True:
            start = max(after_ms, until_ms - width)
            last: int | None = None
            for moment in self.after(start):
                if moment > until_ms:
                    break
                last = moment
            if last is not None or start == after_ms:
                return last
            width *= 2

    def count_within(self, after_ms: int, until_ms: int, limit: int) -> int:
        """How many times there are in that span, counted up to `limit`."""
        if self.every_ms is not None:
            return min(until_ms // self.every_ms - after_ms // self.every_ms, limit)
        times = itertools.takewhile(lambda moment: moment <= until_ms, self.after(after_ms))
        return sum(1 for _ in itertools.islice(times, limit))

    def _every(self, moment_ms: int) -> Iterator[int]:
        step = self.every_ms or _MINUTE_MS
        return iter(range(moment_ms - moment_ms % step + step, _LAST_MS, step))

    def _cron(self, moment_ms: int) -> Iterator[int]:
        fields = (self.cron or "").split()
        seconds = [0]
        zone = dt.UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        before = dt.datetime.fromtimestamp((moment_ms - moment_ms % _MINUTE_MS) / 1000 - 1, zone)
        if len(fields) == 6:
            seconds = sorted(CronSim(" ".join(fields), before).seconds)
        # Five fields: with six, cronsim no longer minds the clock's changes.
        minutes = CronSim(" ".join(fields[-5:]), before)
        minutes.day_and = minutes.day_and or self.day_and
        last_ms = moment_ms
        for minute in minutes:
            minute_ms = int(minute.timestamp()) * 1000
            for second in seconds:
                time_ms = minute_ms + second * 1000
                if time_ms > last_ms:
                    last_ms = time_ms
                    yield time_ms
