"""The CloudEvents extension `notbefore`: jobs of an event start at that time, not before.

An RFC 3339 time with its zone, as CloudEvents write times: `2030-01-01T09:00:00+01:00`. In binary mode it is
the header `ce_notbefore`. A time that has passed delays nothing.
"""

import datetime as dt
import math
from typing import Final

from consumers.errors import InvalidEvent
from events.errors import Undecodable
from events.times import event_time
from schemas.cloudevent import CloudEvent

NOT_BEFORE: Final = "notbefore"


def not_before_ms(event: CloudEvent) -> int:
    """Milliseconds since 1970 of an event that has the extension. Raises InvalidEvent."""
    try:
        return max(0, math.ceil(event_time(event.extensions[NOT_BEFORE]).timestamp() * 1000))
    except (Undecodable, OverflowError) as error:
        raise InvalidEvent(f"extension {NOT_BEFORE}: {error}") from None


def run_at(event: CloudEvent) -> dt.datetime | None:
    """The same as a time; None for an event without it. Raises InvalidEvent."""
    if NOT_BEFORE not in event.extensions:
        return None
    return dt.datetime.fromtimestamp(not_before_ms(event) / 1000, dt.UTC)
