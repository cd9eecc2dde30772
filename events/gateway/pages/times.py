"""Times as forms send them."""

import datetime as dt


def read_time(text: str) -> dt.datetime | None:
    """A date or a date and time, UTC unless it says otherwise; None for nothing. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    time = dt.datetime.fromisoformat(text)
    time = time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    if time.year < 1970:
        raise ValueError("before 1970")
    return time


def milliseconds(time: dt.datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)
