"""Jobs whose turn it is, by priority: high before normal before low, and low never starves.

While jobs of several priorities wait they go 8 : 4 : 1. (The topics are read side by side, each with a bound
of its own on what is in flight, so a backlog of one never stands before another.)
"""

from collections import deque
from typing import Final

from consumers.engine.job import Job

HIGH: Final = 0
NORMAL: Final = 1
LOW: Final = 2
RANKS: Final = {"high": HIGH, "normal": NORMAL, "low": LOW}
TURNS: Final = (0, 1, 0, 0, 1, 0, 0, 1, 0, 2, 0, 1, 0)
"""8 : 4 : 1, spread evenly."""


class Ready:
    """A queue for each priority, first in, first out."""

    __slots__ = ("_queues", "_turn")

    def __init__(self) -> None:
        self._queues: tuple[deque[Job], ...] = (deque(), deque(), deque())
        self._turn = 0

    def __len__(self) -> int:
        high, normal, low = self._queues
        return len(high) + len(normal) + len(low)

    @property
    def high(self) -> int:
        """How many of high priority wait."""
        return len(self._queues[HIGH])

    def add(self, job: Job) -> None:
        """The last of its priority."""
        self._queues[job.rank].append(job)

    def put_back(self, job: Job) -> None:
        """The first of its priority."""
        self._queues[job.rank].appendleft(job)

    def take(self, *, only_high: bool = False) -> Job | None:
        """The next job; None when none waits."""
        high, normal, low = self._queues
        if not low and not high:
            return None if only_high or not normal else normal.popleft()
        if only_high:
            return high.popleft() if high else None
        self._turn = (self._turn + 1) % len(TURNS)
        queue = self._queues[TURNS[self._turn]] or high or normal or low
        return queue.popleft()
