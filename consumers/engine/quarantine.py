"""Jobs that were running when their worker died, again and a few at a time.

One of them may be the killer. Each is remembered as a suspect before it starts, an eighth of them together:
those in flight at the next crash are fewer each time, until one is alone. They go last: neighbours finish,
only the killer uses up its tries, and thousands that died with their machine are not run one by one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from consumers.engine.job import Job

PARTS: Final = 8
SAFE_AFTER_SECONDS: Final = 2.0  # a job that has run so long no longer holds up the next suspects


class Quarantine:
    """The suspects of one partition."""

    def __init__(self, start: Callable[[list[Job]], Awaitable[None]]) -> None:
        self._start = start
        self._suspects: dict[int, list[Job]] = {}
        self._changed = asyncio.Event()

    def add(self, job: Job) -> None:
        """A suspect: to be run when those suspected less often have ended or proved harmless."""
        self._suspects.setdefault(job.suspected, []).append(job)

    def open(self) -> None:
        """All suspects known so far are in: begin."""
        if self._suspects:
            self._changed.set()

    async def run(self) -> None:
        """Run the suspects, part after part."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._suspects:
                jobs = self._suspects.pop(min(self._suspects))
                size = -(-len(jobs) // PARTS)
                for start in range(0, len(jobs), size):
                    await self._run_together(jobs[start : start + size])

    async def _run_together(self, jobs: list[Job]) -> None:
        jobs = [job for job in jobs if not job.settling]  # one may have been cancelled meanwhile
        for job in jobs:
            job.suspected += 1
            job.alone += len(jobs) == 1
            job.attempt_is_risky = True
            job.ended = asyncio.Event()
        await self._start(jobs)
        try:
            async with asyncio.timeout(SAFE_AFTER_SECONDS):
                for job in jobs:
                    if job.ended is not None:
                        await job.ended.wait()
        except TimeoutError:
            pass
