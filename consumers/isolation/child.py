"""What runs in a child process: the tasks are loaded once, then attempts are made one after the other.

The main thread runs the handlers. A second one listens to the worker: it interrupts the main thread when an
attempt is to stop, and ends the process with all it started when the worker is gone. A third runs a loop,
for start-up functions and steps that are coroutines. A handler may raise anything: a file with a catch-all.
"""

import asyncio
import faulthandler
import inspect
import os
import pickle
import signal
import threading
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Final

import structlog

from consumers.context import Context
from consumers.engine.job import Job
from consumers.errors import TaskCancelled, TaskTimeout
from consumers.isolation import memory
from consumers.isolation.child_port import ChildPort
from consumers.isolation.messages import Boot, BootFailed, Reply, Request, StepKept, Stop
from consumers.isolation.travelling import pack_error, pack_result
from consumers.loading import load
from consumers.outputs import Outputs
from consumers.registry import Registry
from consumers.telemetry.logs import configure, current_job

log = structlog.get_logger()

INTERRUPT: Final = signal.SIGUSR1

_child: "Child | None" = None


def start(boot: Boot, line: "Connection[Any, Any]") -> None:
    """Make this process a child of the worker at the other end of `line`. Tells the worker when it fails."""
    global _child
    try:
        os.setsid()  # what an attempt starts is ended together with it; Ctrl-C is for the worker alone
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the worker ends its children itself, after the drain
        faulthandler.enable()
        configure(boot)
        child = Child(line)
        signal.signal(INTERRUPT, child.interrupted)
        threading.Thread(target=child.listen, name="isolation-line", daemon=True).start()
        child.start_up(boot.task_modules)
    except (Exception, SystemExit) as error:
        line.send(BootFailed(f"{type(error).__name__}: {error}"))
        raise
    _child = child


def greet() -> int:
    """The child is up: its process id."""
    return os.getpid()


def attempt(request: bytes) -> bytes:
    """Make one attempt: a pickled `Request` in, a pickled `Reply` out."""
    assert _child is not None
    return pickle.dumps(_child.attempt(request))


def farewell() -> None:
    """Run what the tasks want run at the end."""
    assert _child is not None
    _child.shut_down()


class Child:
    """The tasks of this process and the attempt that runs."""

    _registry: Registry

    def __init__(self, line: "Connection[Any, Any]") -> None:
        self._line = line
        self._loop = asyncio.new_event_loop()
        self._port = ChildPort(self._loop, line)
        self._state: dict[str, Any] = {}
        self._running = 0  # the number of the attempt, 0 between attempts
        self._job: Job | None = None
        self._stop: Stop | None = None
        threading.Thread(target=self._loop.run_forever, name="isolation-loop", daemon=True).start()

    def start_up(self, task_modules: tuple[str, ...]) -> None:
        """Load the tasks and run what they want run before the first attempt."""
        self._registry = load(task_modules)
        for hook in self._registry.startup:
            self._call_hook(hook)

    def shut_down(self) -> None:
        for hook in self._registry.shutdown:
            try:
                self._call_hook(hook)
            except Exception:
                log.exception("on_shutdown_failed", hook=getattr(hook, "__qualname__", repr(hook)))

    def _call_hook(self, hook: Any) -> None:
        outcome = hook(self._state)
        if inspect.isawaitable(outcome):
            asyncio.run_coroutine_threadsafe(_awaited(outcome), self._loop).result()

    # -- an attempt

    def attempt(self, data: bytes) -> Reply:
        job: Job | None = None
        seen: dict[str, int] = {}
        try:
            request: Request = pickle.loads(data)
            job, seen = self._begin(request), request.seen
            task = job.task
            assert task is not None
            memory.limit(task.settings.memory_limit_bytes)
            try:
                self._running = request.number
                if self._stop is not None:
                    self.interrupted(INTERRUPT, None)
                result = task.invoke(
                    Context(job=job, state=self._state, port=self._port), request.payload, request.args
                )
            finally:
                self._running = 0
                memory.limit(None)
            return self._reply(job, seen, result=pack_result(result))
        except BaseException as error:
            spent = isinstance(error, MemoryError)
            return self._reply(job, seen, error=pack_error(error), spent=spent)
        finally:
            current_job.set(None)
            self._job = self._port.job = None

    def _begin(self, request: Request) -> Job:
        task = self._registry.tasks.get(request.task)
        if task is None:
            raise LookupError(
                f"task {request.task!r} is in none of the modules a child process loads: "
                "name its module in HEADRACE_TASK_MODULES"
            )
        job = Job(
            id=request.id,
            task=task,
            task_name=request.task,
            event=request.event,
            raw=request.raw,
            position=request.position,
            source=request.source,
        )
        job.attempt, job.deadline_ms, job.origin = request.attempt, request.deadline_ms, request.origin
        job.steps = request.steps
        outputs = job.outputs = Outputs()
        outputs.seen = request.seen
        self._job = self._port.job = job
        self._port.number = request.number
        if self._stop is not None and self._stop.number != request.number:
            self._stop = None
        current_job.set(job)
        return job

    @staticmethod
    def _reply(job: Job | None, seen: dict[str, int], **more: Any) -> Reply:
        if job is None:
            return Reply(**more)
        return Reply(outputs=list(job.outputs or ()), seen=seen, saw_stop=job.saw_cancel, **more)

    # -- the worker's word, heard in a thread of its own

    def listen(self) -> None:
        try:
            while True:
                message = self._line.recv()
                if isinstance(message, StepKept):
                    self._port.kept(message)
                elif isinstance(message, Stop):
                    self._stop = message
                    main = threading.main_thread().ident
                    assert main is not None
                    signal.pthread_kill(main, INTERRUPT)
        except (EOFError, OSError):
            os.killpg(0, signal.SIGKILL)  # nobody is left to report to, and another worker may run the job

    def interrupted(self, _number: int, _frame: FrameType | None) -> None:
        """Raise in the handler what it is to stop for. Runs in the main thread, between two of its steps."""
        stop, job = self._stop, self._job
        if stop is None or job is None or stop.number != self._running:
            return
        self._stop = None
        job.saw_cancel = True
        if stop.why == "timeout":
            job.timed_out = True
            raise TaskTimeout(stop.reason)
        job.cancel_reason = stop.reason
        raise TaskCancelled(stop.reason)


async def _awaited(outcome: Any) -> Any:
    return await outcome
