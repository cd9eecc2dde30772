"""Holding back jobs of tasks with a rate: without a slot, in their lane while it is soon, else parked.

Those that wait in memory start in the order of their turns, where one that was parked has kept its own: it is
its due time.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from consumers.engine.decisions import Parked
from consumers.engine.job import Job
from consumers.rates import Line, Lines, Rate
from schemas.job import JobState

SOON_MS: Final = 2_000


@dataclass(slots=True)
class Waiting:
    """Who waits in memory in one line: (turn, number, job), the next first."""

    line: Line
    interval_ms: float
    jobs: list[tuple[float, int, Job]] = field(default_factory=list)
    wakes_ms: float = math.inf  # when somebody looks again


class Pacing:
    """The paces of one partition. `push` starts a job; `park` settles it and lets its lane go on."""

    def __init__(
        self,
        *,
        now_ms: Callable[[], int],
        push: Callable[[Job], None],
        park: Callable[[Job, Parked], None],
        later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._later = later or _later
        self._now_ms = now_ms
        self._push = push
        self._park = park
        self._lines = Lines(now_ms())
        self._waiting: dict[int, Waiting] = {}  # by the identity of their line
        self._numbers = itertools.count()

    def take(self, job: Job, rate: Rate) -> None:
        """Start a job when its turn is."""
        now_ms, interval_ms = self._now_ms(), rate.interval_ms
        line = self._lines.of(rate, job.task_name, job.key, now_ms)
        waiting = self._waiting.get(id(line))
        ahead = len(waiting.jobs) if waiting is not None else 0
        was_parked = job.stored is not None
        nobody_before = not ahead and (was_parked or line.planned_ms <= now_ms)
        if nobody_before and line.start(now_ms, interval_ms):
            self._push(job)
            return
        if was_parked and max(now_ms, line.free_ms) + ahead * interval_ms <= now_ms + SOON_MS:
            turn_ms = float(job.due_ms)
        else:
            turn_ms = line.plan(now_ms, interval_ms, ahead=ahead)
        if turn_ms > now_ms + SOON_MS:
            state = JobState.RETRYING if job.stored is JobState.RETRYING else JobState.SCHEDULED
            self._park(job, Parked(math.ceil(turn_ms), state))
            return
        if waiting is None:
            waiting = self._waiting[id(line)] = Waiting(line, interval_ms)
        heapq.heappush(waiting.jobs, (turn_ms, next(self._numbers), job))
        self._wait(waiting)

    def _wait(self, waiting: Waiting) -> None:
        next_ms = max(waiting.jobs[0][0], waiting.line.free_ms)
        if next_ms < waiting.wakes_ms:
            waiting.wakes_ms = next_ms
            self._later(max(next_ms - self._now_ms(), 1) / 1000, lambda: self._go_on(waiting))

    def _go_on(self, waiting: Waiting) -> None:
        jobs, line = waiting.jobs, waiting.line
        waiting.wakes_ms = math.inf
        while jobs:
            turn_ms, _, job = jobs[0]
            if not (job.settling or job.interrupted):  # else it was cancelled, or its partition went away
                now_ms = self._now_ms()
                if turn_ms > now_ms or not line.start(now_ms, waiting.interval_ms):
                    self._wait(waiting)
                    return
                self._push(job)
            heapq.heappop(jobs)
        self._waiting.pop(id(line), None)


def _later(seconds: float, then: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, then)
