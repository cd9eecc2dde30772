"""Lengths of time as people write them in options: seconds or a `timedelta`."""

import datetime as dt
import math
from typing import Final

Seconds = int | float | dt.timedelta

LONGEST_SECONDS: Final = 100 * 366 * 86_400


def seconds_of(value: object) -> float:
    """The length in seconds. Raises `ValueError` for what is no length, below 0, or above 100 years."""
    if isinstance(value, dt.timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise ValueError(f"wanted seconds or a timedelta, not {value!r:.60}")
    if not math.isfinite(seconds) or not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"wanted 0 seconds to 100 years, not {value!r:.60}")
    return seconds
