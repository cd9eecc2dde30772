"""A bound for libraries that say the same thing over and over.

While the broker is away two workers' Kafka clients write over 200 lines a second: one line per template every
five seconds says as much. The next line that passes tells how many did not.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

MAX_TEMPLATES: Final = 500


class RateLimited(logging.Filter):
    """Passes one record per (logger, level, template) every `seconds`, for loggers below `prefixes`.

    Meant for a handler: a filter on a logger does not see what its children log. The record that passes
    carries the number held back before it as `dropped`.
    """

    def __init__(
        self,
        prefixes: tuple[str, ...],
        *,
        seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._prefixes = prefixes
        self._seconds = seconds
        self._monotonic = monotonic
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self._prefixes):
            return True
        template = record.name, record.levelno, str(record.msg)
        now = self._monotonic()
        since, dropped = self._seen.get(template, (None, 0))
        if since is not None and now - since < self._seconds:
            self._seen[template] = since, dropped + 1
            return False
        if since is None and len(self._seen) >= MAX_TEMPLATES:
            self._seen.clear()
        self._seen[template] = now, 0
        if dropped:
            record.dropped = dropped
        return True
