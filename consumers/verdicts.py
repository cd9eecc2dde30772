"""What a handler raises to decide about its own job; any other exception goes by the task's retry options."""

import datetime as dt

from schemas.duration import Seconds, seconds_of


class Verdict(Exception):
    """Root of the three below."""

    def __init__(self, reason: str = "") -> None:
        if not isinstance(reason, str):
            raise TypeError(f"{type(self).__name__}({reason!r:.60}): the reason is text")
        super().__init__(reason)
        self.reason = reason


class Retry(Verdict):
    """Run the job again after `defer`: seconds, a timedelta, an aware datetime; None is the task's backoff.

    `count=False` leaves the tries as they are, and so needs a deadline on the task or the job.
    Raises `ValueError` for a time without zone or a negative delay.
    """

    def __init__(
        self, reason: str = "", *, defer: Seconds | dt.datetime | None = None, count: bool = True
    ) -> None:
        super().__init__(reason)
        if isinstance(defer, dt.datetime):
            if defer.tzinfo is None:
                raise ValueError(
                    f"Retry(defer={defer!r}): a time needs its zone, e.g. datetime.now(timezone.utc)"
                )
        elif defer is not None:
            seconds_of(defer)
        self.defer = defer
        self.count = count

    def due_ms(self, now_ms: int) -> int | None:
        """When to run again, or None when the task's backoff decides. Times gone by are now."""
        if self.defer is None:
            return None
        if isinstance(self.defer, dt.datetime):
            return max(now_ms, int(self.defer.timestamp() * 1000))
        return now_ms + round(seconds_of(self.defer) * 1000)


class Fail(Verdict):
    """Give the job up now: dead letter, no further attempt."""


class Discard(Verdict):
    """Drop the job: counted, remembered as discarded, no dead letter."""
