"""When a broker answers a fetch: with the first record while little comes, in a moment while much does.

Each answer costs the broker and us as much as reading dozens of records. Where single records come all the
time, one answer each would be most of the work.
"""

from typing import Any, Final

GATHER_MS: Final = 10
GATHER_BYTES: Final = 64 * 1024


class Gathering:
    """Paces the fetches of a started consumer. `idle_wait_ms` is how long one waits while nothing comes."""

    def __init__(self, consumer: Any, *, idle_wait_ms: int) -> None:
        self._fetcher = consumer._fetcher
        self._idle_wait_ms = idle_wait_ms
        self.took(False)

    def took(self, anything: bool) -> None:
        """Say whether the last look at the consumer brought anything."""
        fetcher = self._fetcher
        if anything:
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = GATHER_BYTES, GATHER_MS
        else:
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = 1, self._idle_wait_ms
