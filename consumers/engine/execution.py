"""One attempt: the handler, its clock and its end, turned into an outcome.

A handler returns or raises; what that means is decided here and in `consumers/retry.py`, nowhere else. It
may raise anything at all, so this is one of the files with a catch-all.
"""

import asyncio
import contextvars
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import structlog

from consumers.context import Context
from consumers.engine.decisions import Decision
from consumers.engine.group import TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.sending import Sending
from consumers.errors import StepRefused, TaskTimeout
from consumers.isolation.messages import Boot
from consumers.isolation.processes import Processes
from consumers.outcomes import COMPLETED, Cancelled, Completed, Expired, Failure
from consumers.registry import Registry
from consumers.retry import decide
from consumers.telemetry.logs import current_job, job_logger
from consumers.telemetry.telemetry import Telemetry
from consumers.workflows.gather import GATHER_TASK
from consumers.workflows.inputs import Inputs

log = structlog.get_logger()
NOTE_LIMIT_CHARACTERS: Final = 200
_NO_MODULES: Final = Boot(task_modules=())


class Execution:
    """Runs attempts and is what a running job may ask of the engine (`consumers.context.JobPort`)."""

    def __init__(
        self,
        *,
        registry: Registry,
        telemetry: Telemetry,
        sending: Sending,
        state: Mapping[str, Any],
        now_ms: Callable[[], int],
        threads: int,
        chance: Callable[[], float] = random.random,
        restart_clock: Callable[[Job], None] = lambda job: None,
        process_grace_seconds: float = 5.0,
        processes: int = 1,
        boot: Boot = _NO_MODULES,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.now_ms = now_ms
        self.inputs: Inputs | None = None  # where results of earlier steps are fetched from
        self._telemetry = telemetry
        self._sending = sending
        self._state = state
        self._chance = chance
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="task")
        self._handlers = {
            name: registry.handler(task, self._in_thread, self._in_process)
            for name, task in {**registry.tasks, GATHER_TASK.name: GATHER_TASK}.items()
        }
        self._restart_clock = restart_clock
        self.processes = Processes(
            size=processes,
            grace_seconds=process_grace_seconds,
            boot=boot,
            port=self,
            restart_clock=self._begins,
        )

    async def attempt(self, job: Job) -> None:
        """Run one attempt and hand its outcome to the job's partition. Never raises but for a cancelled
        worker."""
        partition = job.partition
        assert partition is not None
        now_ms = self.now_ms()
        if job.deadline_ms is not None and now_ms > job.deadline_ms:
            late_seconds = (now_ms - job.deadline_ms) / 1000
            failure = Failure(
                "DeadlinePassed", f"the deadline passed {late_seconds:.1f} s before the attempt"
            )
            job.attempt -= 1
            partition.finished(job, Expired(failure))
            return
        job.started_ms = now_ms
        job.outputs = None
        current_job.set(job)
        self._telemetry.started(job)
        decision = await self._run(job, Context(job, self._state, self))
        if decision is None:
            self._telemetry.abandoned(job)
            return
        job.duration_seconds = time.monotonic() - job.started
        partition.finished(job, decision)

    async def _run(self, job: Job, context: Context) -> Decision | None:
        """The decision an attempt came to; None when it was interrupted and does not count."""
        try:
            if job.input is not None and self.inputs is not None:
                await self.inputs.fill(job)
            result = await self._handlers[job.task_name](context, job.payload, job.args)
            if job.cancel_reason is not None and await _heard_of_it(job):
                return self._stopped(job)
            if job.timed_out or job.interrupted:
                return self._stopped(job)
            if job.outputs:
                await self._sending.check(job.outputs)
        except asyncio.CancelledError:
            return self._stopped(job)
        except BaseException as error:
            if job.interrupted:
                return self._stopped(job)
            if job.timed_out or job.cancel_reason is not None:
                _uncancel(job)
            return self.decide(job, error)
        return COMPLETED if result is None else Completed(result)

    def _stopped(self, job: Job) -> Decision | None:
        """What a cancelled attempt means depends on who cancelled it."""
        if job.timed_out or job.interrupted or job.cancel_reason is not None:
            _uncancel(job)
        elif job.runner.cancelling():
            raise asyncio.CancelledError
        if job.interrupted:
            return None
        if job.cancel_reason is not None:
            return Cancelled(job.cancel_reason)
        if job.timed_out:
            timeout = job.task.settings.timeout_seconds if job.task else None
            return self.decide(job, TaskTimeout(f"the attempt ran longer than timeout={timeout} s"))
        return self.decide(job, RuntimeError("the handler let a CancelledError out that nobody sent it"))

    def decide(self, job: Job, error: BaseException) -> Decision:
        """What a failed attempt means for the job. One that somebody cancelled is not tried again."""
        if job.cancel_reason is not None:
            return Cancelled(job.cancel_reason)
        assert job.task is not None
        return decide(
            error,
            attempt=job.attempt,
            settings=job.task.settings,
            now_ms=self.now_ms(),
            deadline_ms=job.deadline_ms,
            random=self._chance,
        )

    def stop(self, job: Job) -> None:
        """End a running attempt, for the reason noted on the job: an async one is cancelled, one in a thread
        sees `ctx.cancelled` and ends by itself."""
        if job.timed_out and job.task is not None and job.task.kind == "thread":
            log.warning("task_overdue_in_thread", job_id=job.id, task=job.task_name)
        elif job.task is not None and job.task.kind == "process":
            self.processes.stop(job)
        elif job.task is not None and job.task.kind == "async" and job.runner is not None:
            job.runner.cancel()

    def _in_thread(self, call: Callable[[], Any]) -> Any:
        return self.loop.run_in_executor(self._pool, partial(contextvars.copy_context().run, call))

    def _in_process(self, context: Context, payload: Any, args: dict[str, Any]) -> Any:
        job = current_job.get()
        assert job is not None
        return self.processes.call(job, payload, args)

    def _begins(self, job: Job) -> None:
        job.started_ms = self.now_ms()
        self._restart_clock(job)

    def close(self) -> None:
        self.processes.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- JobPort

    async def journal(self, job: Job, name: str, result: Any) -> None:
        """Make a step's result durable with the job's running record. Raises `StepRefused`."""
        assert job.partition is not None
        try:
            await job.partition.settlement.remember([job])
        except TooLargeToKeep as error:
            raise StepRefused(f"step {name!r} cannot be kept: {error}") from None

    def progress(self, job: Job, done: float, total: float | None, note: str) -> None:
        """Note how far a job is; whoever watches what runs shows the newest, once a second at most."""
        job.progress = {
            "done": _number(done),
            "total": None if total is None else _number(total),
            "note": str(note)[:NOTE_LIMIT_CHARACTERS].encode(errors="backslashreplace").decode(),
            "at_ms": self.now_ms(),
        }
        job.progress_is_new = True

    def logger_for(self, job: Job) -> Any:
        """A logger whose lines carry the job's identity."""
        return job_logger(job)


async def _heard_of_it(job: Job) -> bool:
    """Whether a handler that returned knew that it was cancelled: it looked at `ctx.cancelled`, or swallowed
    the CancelledError. One it never got must not meet the runner's next job."""
    heard = job.saw_cancel or job.runner.cancelling() > 0
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        heard = job.saw_cancel
    if not (job.timed_out or job.interrupted):
        _uncancel(job)
    return heard


def _number(value: float) -> float:
    """What JSON can hold of a number. Raises TypeError or ValueError for anything else."""
    return value if type(value) is int and abs(value) < 1 << 53 else float(value)


def _uncancel(job: Job) -> None:
    """What stopped this job, maybe twice, must not look like a cancelled worker to the runner's next one."""
    while job.runner.cancelling():
        job.runner.uncancel()
