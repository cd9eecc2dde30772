"""What a handler holds while it runs: who it is, what it may ask for, what it sends when it completes.

Made for every attempt, so it is small: everything that costs is made when it is first asked for.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from consumers.outputs import JobRequest, Output, Recorded, event_output, job_output, workflow_output
from consumers.steps import Step, StepCall, StepRunner
from events.queue_options import Enqueue, Enqueueable
from events.workflow import Workflow
from schemas.cloudevent import CloudEvent

if TYPE_CHECKING:
    from consumers.engine.job import Job
    from consumers.testing import FakeContext
    from schemas.domain import DomainEvent

__all__ = ["Context", "JobPort", "JobRequest", "Output", "Recorded", "Step"]


class JobPort(Protocol):
    """What a running job may ask of the engine."""

    loop: asyncio.AbstractEventLoop
    """The loop the engine runs on: handlers in threads hand their waits over to it."""

    async def journal(self, job: "Job", name: str, result: Any) -> None:
        """Keep the result of a step. Durable when it returns; `job.steps` holds it already."""

    def now_ms(self) -> int:
        """Wall clock in milliseconds since 1970."""

    def progress(self, job: "Job", done: float, total: float | None, note: str) -> None:
        """Show how far the job is. Never waits, may be called from any thread."""

    def logger_for(self, job: "Job") -> Any:
        """A structlog logger that knows the job."""


class Context:
    """The first argument of every handler. `state` is what the `on_startup` functions put there."""

    __slots__ = ("_job", "_log", "_port", "_steps", "state")

    def __init__(self, job: "Job", state: Mapping[str, Any], port: JobPort) -> None:
        self._job = job
        self._port = port
        self._log: Any = None
        self._steps: StepRunner | None = None
        self.state = state

    @property
    def job_id(self) -> str:
        """The job's id: the same in every attempt."""
        return self._job.id

    @property
    def task(self) -> str:
        """The task's name."""
        return self._job.task_name

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._job.attempt

    @property
    def event(self) -> CloudEvent:
        """The envelope of the event, or of the request that asked for a plain task."""
        return self._job.event

    @property
    def key(self) -> str | None:
        """The record key as text."""
        key = self._job.key
        return None if key is None else key.decode(errors="backslashreplace")

    @property
    def log(self) -> Any:
        """A structlog logger that knows the job: `ctx.log.info("sent", size=3)`."""
        if self._log is None:
            self._log = self._port.logger_for(self._job)
        return self._log

    @property
    def deadline(self) -> dt.datetime | None:
        """After this time no attempt begins."""
        deadline_ms = self._job.deadline_ms
        return None if deadline_ms is None else dt.datetime.fromtimestamp(deadline_ms / 1000, dt.UTC)

    @property
    def scheduled_at(self) -> dt.datetime | None:
        """The time its schedule named, however late it runs; None for a job of no schedule."""
        scheduled_ms = (self._job.origin or {}).get("scheduled_ms")
        return None if scheduled_ms is None else dt.datetime.fromtimestamp(scheduled_ms / 1000, dt.UTC)

    @property
    def cancelled(self) -> bool:
        """Whether the attempt ran out of time or was cancelled: a `def` task looks here while it works."""
        job = self._job
        if job.cancel_reason is not None:
            job.saw_cancel = True
        return job.timed_out or job.cancel_reason is not None

    def progress(self, done: float, total: float | None = None, note: str = "") -> None:
        """Show how far the job is."""
        self._port.progress(self._job, done, total, note)

    def publish(
        self, event: "DomainEvent | CloudEvent", *, topic: str | None = None, key: str | bytes | None = None
    ) -> Recorded[str]:
        """Publish an event if this attempt completes; may be awaited, gives the event's id.

        Typed events know their topic and key; an envelope needs `topic`. The id is the same in every attempt,
        unless the envelope was given one. Raises OutputRefused.
        """
        return Recorded(event_output(self._job, event, topic=topic, key=key).id)

    def enqueue(
        self, task: Enqueueable[Any] | Enqueue[Any] | Workflow | str, /, **args: Any
    ) -> Recorded[str]:
        """Enqueue a plain task if this attempt completes; may be awaited, gives the job's id: of a workflow
        that of its last job.

        The id is the same in every attempt. Raises InvalidArguments for arguments the task does not take,
        OutputRefused for those that are no JSON.
        """
        if isinstance(task, Workflow):
            return Recorded(workflow_output(self._job, task).job_id)
        return Recorded(job_output(self._job, task, args).job_id)

    def step(self, name: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do something once for the job: its result is kept, later attempts get the kept one.

        In an `async def` task await it; in a `def` task it waits and gives the result. `fn` may be either
        kind, its result must be JSON. A parameter of `fn` named `step` gets a Step, whose `key` a callee can
        use to recognise a repeat. Raises StepRefused when the name is taken in this attempt or the result is
        no JSON.
        """
        if self._steps is None:
            self._steps = StepRunner(self._job, self._port)
        call = StepCall(name, fn, args, kwargs)
        return self._steps.run_blocking(call, self._wait) if self._blocks() else self._steps.run(call)

    def _blocks(self) -> bool:
        return self._job.task is not None and self._job.task.kind != "async"

    def _wait(self, running: Coroutine[Any, Any, Any]) -> Any:
        """Let the engine's loop run it while this thread waits."""
        return asyncio.run_coroutine_threadsafe(running, self._port.loop).result()

    @classmethod
    def fake(cls, **given: Any) -> "FakeContext":
        """A context for a unit test, see `consumers.testing.FakeContext`: records what the handler sends."""
        from consumers.testing import FakeContext

        return FakeContext(**given)
