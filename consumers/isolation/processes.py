"""The children of a worker: so many at most, started when there is work, replaced when they died.

An attempt waits here until a child is free. Its clock starts when it is handed over: a full house is not the
job's fault. A stop is soft first, an exception raised in the handler; then the child is killed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import structlog

from consumers.context import JobPort
from consumers.engine.job import Job
from consumers.errors import TaskCancelled, TaskTimeout, WorkerLost
from consumers.isolation.messages import Boot, Reply, Why
from consumers.isolation.seat import Seat
from consumers.isolation.travelling import unpack_error, unpack_result
from consumers.outputs import Outputs

log = structlog.get_logger()

BOOT_SECONDS: Final = 60.0
INTERRUPTED_GRACE_SECONDS: Final = 0.5  # the worker is on its way out, or another one waits for the job
FAREWELL_SECONDS: Final = 2.0
LAST_SECONDS: Final = 1.0  # for killed children to be gone


class Processes:
    """Runs attempts in children of this process."""

    def __init__(
        self,
        *,
        size: int,
        grace_seconds: float,
        boot: Boot,
        port: JobPort,
        restart_clock: Callable[[Job], None],
    ) -> None:
        self._size = size
        self._grace_seconds = grace_seconds
        self._boot = boot
        self._port = port
        self._restart_clock = restart_clock
        self._seats: set[Seat] = set()
        self._free: deque[Seat] = deque()
        self._starting = 0
        self._waiting: dict[Job, asyncio.Future[Seat]] = {}  # in the order they came
        self._working: dict[Job, Seat] = {}
        self._killed: set[Job] = set()
        self._timers: dict[Job, asyncio.TimerHandle] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The children that are up."""
        return [seat.pid for seat in self._seats if seat.pid]

    async def call(self, job: Job, payload: Any, args: dict[str, Any]) -> Any:
        """What the handler gave in a child; raises what it raised, WorkerLost, TaskTimeout or TaskCancelled.

        Results come as JSON values.
        """
        seat = await self._seat_for(job)
        self._working[job] = seat
        reply: Reply | None = None
        try:
            if job.interrupted or job.cancel_reason is not None:
                raise TaskCancelled(job.cancel_reason or "the worker stops")
            job.timed_out = False
            self._restart_clock(job)
            reply = await seat.run(job, payload, args)
        except WorkerLost as lost:
            raise self._meant(job, lost) from None
        finally:
            del self._working[job]
            self._killed.discard(job)
            timer = self._timers.pop(job, None)
            if timer is not None:
                timer.cancel()
            self._leave(seat, used=reply)
        job.saw_cancel = job.saw_cancel or reply.saw_stop
        if reply.outputs:
            self._take_outputs(job, reply)
        if reply.error is not None:
            raise unpack_error(reply.error)
        return unpack_result(reply.result)

    def _meant(self, job: Job, lost: WorkerLost) -> Exception:
        """A child that was killed did not crash."""
        if job not in self._killed:
            log.warning("child_process_lost", job_id=job.id, task=job.task_name, error=str(lost))
            return lost
        if job.interrupted or job.cancel_reason is not None:
            return TaskCancelled(job.cancel_reason or "the worker stops")
        return TaskTimeout(f"{_overdue(job)}, and {self._grace_seconds:g} s later had not stopped: killed")

    @staticmethod
    def _take_outputs(job: Job, reply: Reply) -> None:
        outputs = job.outputs if isinstance(job.outputs, Outputs) else Outputs()
        outputs.extend(reply.outputs)
        outputs.seen = reply.seen
        job.outputs = outputs

    # -- seats

    async def _seat_for(self, job: Job) -> Seat:
        while self._free:
            seat = self._free.popleft()
            if not seat.gone:
                return seat
        waiter: asyncio.Future[Seat] = self._port.loop.create_future()
        self._waiting[job] = waiter
        self._start_more()
        try:
            seat = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._hand_on(waiter.result())
            raise
        finally:
            self._waiting.pop(job, None)
        return seat

    def _start_more(self) -> None:
        if self._closed or len(self._seats) >= self._size or self._starting >= len(self._waiting):
            return
        seat = Seat(self._boot, self._port, self._hung_up)
        self._seats.add(seat)
        self._starting += 1
        task = asyncio.ensure_future(self._start(seat))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _start(self, seat: Seat) -> None:
        try:
            await seat.start(BOOT_SECONDS)
        except (WorkerLost, OSError) as error:
            self._starting -= 1
            self._remove(seat)
            log.error("child_process_not_started", error=str(error))
            self._refuse_one(error)
            self._start_more()
            return
        self._starting -= 1
        log.info("child_process_started", pid=seat.pid)
        self._hand_on(seat)

    def _refuse_one(self, error: Exception) -> None:
        """Whoever waits longest learns that there is no child; its attempt failed."""
        waiter = next((waiter for waiter in self._waiting.values() if not waiter.done()), None)
        if waiter is not None:
            waiter.set_exception(error)

    def _hand_on(self, seat: Seat) -> None:
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_result(seat)
                return
        self._free.append(seat)

    def _leave(self, seat: Seat, *, used: Reply | None) -> None:
        """A seat nobody sits on any more: for the next, unless its child is dead, half way, or spent."""
        if seat.gone or used is None or used.spent or self._closed:
            self._remove(seat)
            self._start_more()
        else:
            self._hand_on(seat)

    def _hung_up(self, seat: Seat) -> None:
        """A child ended. One at work is dealt with where its attempt is awaited."""
        if seat in self._free:
            self._free.remove(seat)
            self._remove(seat)
            log.warning("child_process_lost", pid=seat.pid)
        self._start_more()

    def _remove(self, seat: Seat) -> None:
        if seat in self._seats:
            self._seats.discard(seat)
            seat.bury()

    # -- stopping

    def stop(self, job: Job) -> None:
        """End an attempt for the reason noted on its job: softly, and by force when that does not help."""
        why = _why(job)
        waiter = self._waiting.get(job)
        if waiter is not None:
            if why == "timeout":
                job.timed_out = False  # it has not begun
            elif not waiter.done():
                waiter.set_exception(TaskCancelled(job.cancel_reason or "the worker stops"))
            return
        seat = self._working.get(job)
        if seat is None or seat.job is not job:
            return
        seat.stop(why, _overdue(job) if why == "timeout" else job.cancel_reason or "the worker stops")
        grace = self._grace_seconds
        if why == "interrupted":
            grace = min(grace, INTERRUPTED_GRACE_SECONDS)
        earlier = self._timers.pop(job, None)
        if earlier is not None:
            if earlier.when() <= self._port.loop.time() + grace:
                self._timers[job] = earlier
                return
            earlier.cancel()
        self._timers[job] = self._port.loop.call_later(grace, self._kill, job)

    def _kill(self, job: Job) -> None:
        seat = self._working.get(job)
        if seat is not None and seat.job is job:
            self._killed.add(job)
            log.warning("child_process_killed", job_id=job.id, task=job.task_name, pid=seat.pid)
            seat.kill()

    async def end(self) -> None:
        """Let idle children run their shut-down functions, then end all of them."""
        self._closed = True
        idle = [asyncio.ensure_future(seat.farewell()) for seat in self._free if not seat.gone]
        self._free.clear()
        if idle:
            _, late = await asyncio.wait(idle, timeout=FAREWELL_SECONDS)
            for task in late:
                task.cancel()
        self.close()

    def close(self) -> None:
        """End all children now."""
        self._closed = True
        for task in self._background:
            task.cancel()
        threads = [seat.bury() for seat in self._seats]
        self._seats.clear()
        until = time.monotonic() + LAST_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _why(job: Job) -> Why:
    if job.interrupted:
        return "interrupted"
    return "cancelled" if job.cancel_reason is not None else "timeout"


def _overdue(job: Job) -> str:
    timeout = job.task.settings.timeout_seconds if job.task else None
    return f"the attempt ran longer than timeout={timeout} s"
