"""What a worker finished, written by itself in the same way for every contender.

Throughput: a line `count time_ns` at the first job and at every `STEP`-th, so that counting costs next to
nothing. Latency: a line `number waited_ns` for every message, taken when its handler begins.
Times are the wall clock of this machine, the one publisher and workers share.
"""

import os
import time
from pathlib import Path
from typing import Final

STEP: Final = 500


class Tally:
    """The writing side, inside the worker."""

    __slots__ = ("_count", "_file")

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
        self._count = 0

    def done(self) -> None:
        """One job has run to its end."""
        self._count += 1
        if self._count % STEP == 0 or self._count == 1:
            os.write(self._file, b"%d %d\n" % (self._count, time.time_ns()))

    def arrived(self, number: int, sent_ns: int) -> None:
        """The handler of message `number` begins."""
        os.write(self._file, b"%d %d\n" % (number, time.time_ns() - sent_ns))


def read_tally(path: Path) -> list[tuple[int, int]]:
    """All whole lines so far; empty while there is no file."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [(int(first), int(second)) for first, second in (line.split() for line in whole.splitlines())]
