"""One child process as the worker sees it: started, given one attempt at a time, stopped, killed, buried.

The pool of one process is the library's; it lives as long as its child. A shared pool would not do: a child
that dies while it holds the pool's lock, or between two attempts, breaks the pool for all.
"""

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import structlog
from pebble import ProcessExpired, ProcessPool

from consumers.context import JobPort
from consumers.engine.job import Job
from consumers.errors import ContextError, StepRefused, WorkerLost
from consumers.isolation import child
from consumers.isolation.messages import (
    Boot,
    BootFailed,
    Progressed,
    Reply,
    Request,
    StepDone,
    StepKept,
    Stop,
    Why,
)

log = structlog.get_logger()

_SPAWN: Final = multiprocessing.get_context("spawn")
EXIT_CODE_WITHIN_SECONDS: Final = 0.5  # after a child hung up, until the library knows how it ended
_numbers: Final = itertools.count(1)


class Seat:
    """`pid` is 0 until the child is up. `hung_up` is called in the loop when it is gone, whatever the
    reason."""

    def __init__(self, boot: Boot, port: JobPort, hung_up: "Callable[[Seat], None]") -> None:
        self.pid = 0
        self.job: Job | None = None
        self.gone = False
        self._port = port
        self._loop = port.loop
        self._hung_up = hung_up
        self._why_not = "it ended before it was up"
        self._number = 0
        self._done: asyncio.Future[Any] | None = None
        self._line, self._theirs = _SPAWN.Pipe()
        self._steps: set[asyncio.Task[None]] = set()
        self._pool = ProcessPool(
            max_workers=1, initializer=child.start, initargs=(boot, self._theirs), context=_SPAWN
        )

    async def start(self, within_seconds: float) -> None:
        """Start the child and wait until it is up. Raises WorkerLost with the reason when it does not."""
        threading.Thread(target=self._listen, name="isolation-line", daemon=True).start()
        try:
            async with asyncio.timeout(within_seconds):
                self.pid = await self._do(child.greet)
        except TimeoutError:
            raise WorkerLost(f"a child process was not up within {within_seconds:.0f} s") from None
        except WorkerLost:
            await asyncio.sleep(0)  # what it said last may still be on its way
            raise WorkerLost(f"a child process could not start: {self._why_not}") from None
        finally:
            self._theirs.close()  # from now on the line breaks when the child ends; and there is no second

    async def run(self, job: Job, payload: Any, args: dict[str, Any]) -> Reply:
        """Make one attempt. Raises WorkerLost when the child dies of it, or ContextError when what it needs
        cannot be sent."""
        self._number = next(_numbers)
        data = _pickled(job, self._number, payload, args)
        self.job = job
        try:
            reply = pickle.loads(await self._do(child.attempt, data))
        finally:
            self.job = None
            for task in self._steps:
                task.cancel()
        assert isinstance(reply, Reply)
        return reply

    async def farewell(self) -> None:
        """Let the child run its shut-down functions."""
        with contextlib.suppress(WorkerLost):
            await self._do(child.farewell)

    def stop(self, why: Why, reason: str) -> None:
        """Ask the handler to end."""
        self._say(Stop(self._number, why, reason))

    def kill(self) -> None:
        """End the child and all it started, at once."""
        if self.pid and not self.gone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def bury(self) -> threading.Thread:
        """Let go of a child that is dead or not up yet. Returns the thread that waits for its end."""
        self.kill()
        self.gone = True
        self._theirs.close()
        thread = threading.Thread(target=self._end_pool, name="isolation-end", daemon=True)
        thread.start()
        return thread

    def _end_pool(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    # -- work of the child

    async def _do(self, function: Callable[..., Any], *args: Any) -> Any:
        """What `function` gives in the child. Raises WorkerLost when the child ends over it."""
        done = self._done = self._loop.create_future()
        try:
            scheduled = self._pool.schedule(function, args=args)
        except RuntimeError as broken:
            raise WorkerLost(f"the child process is gone: {broken}") from None
        scheduled.add_done_callback(lambda future: self._later(self._ended, done, future))
        return await done

    @staticmethod
    def _ended(done: "asyncio.Future[Any]", future: "Future[Any]") -> None:
        if done.done():
            return
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            done.set_exception(WorkerLost(_how_it_ended(error)))
        else:
            done.set_result(future.result())

    # -- the line

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError), self._line:
            while True:
                self._later(self._heard, self._line.recv())
        self._later(self._broke)

    def _later(self, call: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call, *args)

    def _broke(self) -> None:
        """The child is gone; how it ended the library knows a little later, unless it ended with code 0."""
        done = self._done
        if done is not None and not done.done():
            lost = WorkerLost("the child process ended in the middle of the attempt")
            self._loop.call_later(EXIT_CODE_WITHIN_SECONDS, _give_up, done, lost)
        self._hung_up(self)

    def _say(self, message: Stop | StepKept) -> None:
        with contextlib.suppress(OSError):  # it just ended: that is noticed elsewhere
            self._line.send(message)

    def _heard(self, message: object) -> None:
        if isinstance(message, BootFailed):
            self._why_not = message.why
            return
        job = self.job
        if job is None or getattr(message, "number", 0) != self._number:
            return
        if isinstance(message, Progressed):
            self._port.progress(job, message.done, message.total, message.note)
        elif isinstance(message, StepDone):
            task = asyncio.ensure_future(self._keep(job, message))
            self._steps.add(task)
            task.add_done_callback(self._steps.discard)

    async def _keep(self, job: Job, step: StepDone) -> None:
        refused = None
        if job.steps is None:
            job.steps = {}
        job.steps[step.name] = step.result
        try:
            await self._port.journal(job, step.name, step.result)
        except StepRefused as error:
            del job.steps[step.name]
            refused = str(error)
        self._say(StepKept(step.number, step.name, refused))


def _give_up(done: "asyncio.Future[Any]", lost: WorkerLost) -> None:
    if not done.done():
        done.set_exception(lost)


def _pickled(job: Job, number: int, payload: Any, args: dict[str, Any]) -> bytes:
    request = Request(
        number=number,
        task=job.task_name,
        id=job.id,
        event=job.event,
        raw=job.raw._replace(value=None, headers=()),
        position=job.position,
        source=job.source,
        attempt=job.attempt,
        deadline_ms=job.deadline_ms,
        steps=job.steps,
        origin=job.origin,
        seen=dict(getattr(job.outputs, "seen", ())),
        payload=payload,
        args=args,
    )
    try:
        return pickle.dumps(request)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ContextError(
            f"what task {job.task_name!r} is given cannot be sent to a child process: {error}"
        ) from None


def _how_it_ended(error: BaseException | None) -> str:
    if not isinstance(error, ProcessExpired):
        return f"the child process ended: {error}" if error is not None else "the child process was ended"
    code = error.exitcode
    if code >= 0:
        return f"the child process ended with exit code {code} in the middle of the attempt"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; was it out of memory?" if -code == signal.SIGKILL else ""
    return f"the child process was ended by {name} in the middle of the attempt{hint}"
