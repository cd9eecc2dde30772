"""Running attempts: a few tasks that each take ready jobs one after the other.

A job that never waits costs no task of its own: its runner goes straight on to the next. While a runner
waits inside a job another one takes over the queue. One sweep watches all timeouts, instead of a timer for
each job.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from consumers.engine.job import Job
from consumers.engine.ready import HIGH, Ready

if TYPE_CHECKING:
    from consumers.engine.execution import Execution
    from consumers.engine.partition import Partition

SWEEP_SECONDS: Final = 0.02
SPAWN_AT_ONCE: Final = 32
YIELD_EVERY: Final = 128
LEASE_LOOK_SECONDS: Final = 0.1
SHOW_LOOK_SECONDS: Final = 0.2
SHOW_AGAIN_SECONDS: Final = 1.0
KEPT_FOR_HIGH: Final = 0.1  # of all slots


class Runners:
    """At most `max_jobs` attempts at a time in this worker, and at most a task's own `max_jobs` of it.

    A tenth of the slots is kept for jobs of high priority.
    """

    def __init__(
        self, *, max_jobs: int, detach_after_seconds: float, show_after_seconds: float = math.inf
    ) -> None:
        self.max_jobs = max_jobs
        self.accepting = True
        self.running: dict[Job, None] = {}  # in the order they started
        self.execution: Execution  # set once, by the engine that wires both
        self.detach: Callable[[Job], None]
        self.show: Callable[[Job], None]  # let others see that it runs, and how far it is
        self.lease_until: Callable[[], float]  # on the monotonic clock: until then the group counts us in
        self._detach_after_seconds = detach_after_seconds
        self._show_after_seconds = show_after_seconds
        self._looked = 0.0
        self._ready = Ready()
        self._active = 0
        self._not_high = 0  # attempts that run and are not of high priority
        self._most_not_high = max_jobs - int(max_jobs * KEPT_FOR_HIGH)
        self._spawning = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_timeout: dict[float, dict[Job, None]] = {}
        self._of_task: dict[str, int] = {}
        self._held_back: dict[str, Ready] = {}

    def push(self, job: Job) -> None:
        """A job whose turn it is."""
        self._ready.add(job)
        self._spawn_soon()

    @property
    def ready(self) -> int:
        """Jobs that could start if there were room."""
        return len(self._ready)

    @property
    def _startable(self) -> int:
        return len(self._ready) if self._not_high < self._most_not_high else self._ready.high

    def _spawn_soon(self) -> None:
        if self._spawning or self._active >= self.max_jobs or not self.accepting:
            return
        if not self._active:
            self._spawn()  # nobody is there yet to find the job: not a turn later
        else:
            self._spawning = True
            asyncio.get_running_loop().call_soon(self._spawn)

    def _spawn(self) -> None:
        self._spawning = False
        if not self.accepting:
            return
        # That the queue is not empty here tells that running jobs wait: several more may go at once.
        wanted = min(self._startable, self.max_jobs - self._active, SPAWN_AT_ONCE if self.running else 1)
        for _ in range(wanted):
            self._active += 1
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        try:
            done, runner, lease_until = 0, asyncio.current_task(), 0.0
            while self.accepting:
                job = self._ready.take(only_high=self._not_high >= self._most_not_high)
                if job is None:
                    break
                if job.interrupted or job.settling:  # its partition went, or it was cancelled
                    self._let_in(job)
                    continue
                if not self._has_room(job):
                    continue
                now = time.monotonic()
                if now > lease_until:
                    lease_until = self.lease_until()
                if now > lease_until:
                    # Thawed after its session, or the broker is away: somebody else may own this job now.
                    self._ready.put_back(job)
                    self._leave_room(job)
                    await asyncio.sleep(LEASE_LOOK_SECONDS)
                    continue
                if self._startable:
                    self._spawn_soon()
                job.started, job.runner = now, runner
                await self._attempt(job)
                done += 1
                if not done % YIELD_EVERY:
                    await asyncio.sleep(0)
        finally:
            self._active -= 1
            if self._startable:
                self._spawn_soon()

    async def _attempt(self, job: Job) -> None:
        timeout = None if job.task is None else job.task.settings.timeout_seconds
        self.running[job] = None
        self._not_high += job.rank != HIGH
        same_timeout = None
        if timeout is not None:
            same_timeout = self._by_timeout.get(timeout)
            if same_timeout is None:
                same_timeout = self._by_timeout[timeout] = {}
            same_timeout[job] = None
        try:
            await self.execution.attempt(job)
        finally:
            self.running.pop(job, None)
            self._not_high -= job.rank != HIGH
            if same_timeout is not None:
                same_timeout.pop(job, None)
            job.runner = None
            self._leave_room(job)

    # -- a task's own max_jobs

    def _has_room(self, job: Job) -> bool:
        limit = None if job.task is None else job.task.settings.max_jobs
        if limit is None:
            return True
        running = self._of_task.get(job.task_name, 0)
        if running >= limit:
            self._held_back.setdefault(job.task_name, Ready()).add(job)
            return False
        self._of_task[job.task_name] = running + 1
        return True

    def _leave_room(self, job: Job) -> None:
        if job.task is None or job.task.settings.max_jobs is None:
            return
        self._of_task[job.task_name] -= 1
        self._let_in(job)

    def _let_in(self, job: Job) -> None:
        """One that was held back takes the place of `job`, which ended or is not wanted any more."""
        held_back = self._held_back.get(job.task_name)
        next_job = None if held_back is None else held_back.take()
        if next_job is not None:
            self._ready.put_back(next_job)
            self._spawn_soon()

    # -- watching

    async def watch(self) -> None:
        """Stop what runs too long, detach what runs long, show what has been running for a while."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for timeout, jobs in self._by_timeout.items():
                self._stop_overdue(jobs, now - timeout)
            self._detach_long(now - self._detach_after_seconds)
            if now - self._looked >= SHOW_LOOK_SECONDS:
                self._looked = now
                self._show_long(now)

    def _stop_overdue(self, jobs: dict[Job, None], started_before: float) -> None:
        overdue = []
        for job in jobs:
            if job.started > started_before:
                break
            overdue.append(job)
        for job in overdue:
            del jobs[job]
            job.timed_out = True
            self.execution.stop(job)

    def _detach_long(self, started_before: float) -> None:
        for job in self.running:
            if job.started > started_before:
                return
            if not job.detached:
                job.detached = True
                self.detach(job)

    def _show_long(self, now: float) -> None:
        for job in self.running:
            if job.started > now - self._show_after_seconds:
                return
            if job.shown is None or (job.progress_is_new and now - job.shown >= SHOW_AGAIN_SECONDS):
                job.shown, job.progress_is_new = now, False
                self.show(job)

    def stop(self, job: Job) -> None:
        """End an attempt for the reason noted on its job."""
        self.execution.stop(job)

    def restart_clock(self, job: Job) -> None:
        """Only now does it begin: what it waited for a free process was not its own time."""
        if job not in self.running:
            return
        job.started = time.monotonic()
        del self.running[job]
        self.running[job] = None  # it is the newest now
        timeout = None if job.task is None else job.task.settings.timeout_seconds
        if timeout is not None:
            self._by_timeout[timeout].pop(job, None)
            self._by_timeout[timeout][job] = None

    # -- the end

    def forget(self, partition: "Partition") -> None:
        """Stop what runs for a partition that went away."""
        for job in [job for job in self.running if job.partition is partition]:
            self.execution.stop(job)

    def stop_all(self) -> None:
        """Interrupt what still runs: a shutdown is no attempt."""
        self.accepting = False
        for job in list(self.running):
            job.interrupted = True
            self.execution.stop(job)

    async def idle(self) -> None:
        """Return when no attempt runs."""
        while self.running:
            await asyncio.sleep(SWEEP_SECONDS)
