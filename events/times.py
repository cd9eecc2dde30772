"""The clock, and RFC 3339 times as CloudEvents write them."""

import datetime as dt
from time import time_ns
from typing import Final

from events.errors import Undecodable

_FIRST_YEAR: Final = 1
_LAST_YEAR: Final = 9999


def now_ms() -> int:
    """Milliseconds since 1970 began, in UTC: what every time of ours is in."""
    return time_ns() // 1_000_000


def event_time(text: str) -> dt.datetime:
    """The moment of an RFC 3339 time. Finer than microseconds is cut off. Raises Undecodable."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        time = _unusual(text)
    if time.tzinfo is None:
        raise Undecodable(f"time {text[:40]!r} has no zone, expected one such as 2013-01-01T05:17:00Z")
    if time.year == _FIRST_YEAR or time.year == _LAST_YEAR:
        _in_utc(time, text)
    return time


def _unusual(text: str) -> dt.datetime:
    """RFC 3339 allows small letters and leap seconds, the standard library does not."""
    usual = text.upper()
    if usual[16:19] == ":60":
        usual = usual[:16] + ":59" + usual[19:]
    try:
        return dt.datetime.fromisoformat(usual)
    except ValueError:
        raise Undecodable(f"time {text[:40]!r} is no RFC 3339 time such as 2013-01-01T05:17:00Z") from None


def _in_utc(time: dt.datetime, text: str) -> None:
    try:
        time.astimezone(dt.UTC)
    except OverflowError:
        raise Undecodable(f"time {text[:40]!r} is outside the years 1 to 9999 in UTC") from None


def rfc3339(time: dt.datetime) -> str:
    """The text of a moment. Raises ValueError for one without zone."""
    offset = time.utcoffset()
    if offset is None:
        raise ValueError(f"time {time.isoformat()} has no zone; give it one, e.g. datetime.now(UTC)")
    if offset.total_seconds() % 60:  # RFC 3339 has no seconds in a zone
        time = time.astimezone(dt.UTC)
    return time.isoformat().replace("+00:00", "Z")
