"""Jobs that were running when their worker died, again and one at a time.

One of them may be the killer. Each is remembered as running alone before it starts, and the ones that were
alone at a crash before go last: neighbours finish, and only the killer uses up its tries.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from typing import Final

from consumers.engine.job import Job

SAFE_AFTER_SECONDS: Final = 2.0  # a job that has run so long no longer holds up the next suspect


class Quarantine:
    """The suspects of one partition."""

    def __init__(self, start: Callable[[list[Job]], Awaitable[None]]) -> None:
        self._start = start
        self._suspects: list[tuple[int, int, Job]] = []
        self._order = 0
        self._changed = asyncio.Event()

    def add(self, job: Job) -> None:
        """A suspect: to be run when those before it have ended or proved harmless."""
        self._order += 1
        heapq.heappush(self._suspects, (job.alone, self._order, job))

    def open(self) -> None:
        """All suspects known so far are in: begin."""
        if self._suspects:
            self._changed.set()

    async def run(self) -> None:
        """Run suspects one after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._suspects:
                *_, job = heapq.heappop(self._suspects)
                await self._run_alone(job)

    async def _run_alone(self, job: Job) -> None:
        job.alone += 1
        job.attempt_is_risky = True
        job.ended = asyncio.Event()
        await self._start([job])
        try:
            async with asyncio.timeout(SAFE_AFTER_SECONDS):
                await job.ended.wait()
        except TimeoutError:
            pass
