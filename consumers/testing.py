"""For unit tests of your tasks: a context that records, and a clock that stands still. No broker, no worker.

>>> async def test_it_greets(headrace_context):
...     await greet(headrace_context, name="Ada")
...     assert headrace_context.enqueued[0].args == {"to": "Ada"}

The pytest fixtures `headrace_context` and `headrace_clock` are there without an import.
"""

import asyncio
import datetime as dt
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from consumers.context import Context
from consumers.definition import Task
from consumers.engine.job import Job
from consumers.outputs import JobRequest
from consumers.retry import decide
from schemas.cloudevent import CloudEvent
from schemas.duration import Seconds, seconds_of
from schemas.state import Position, RawRecord

if TYPE_CHECKING:
    from consumers.outcomes import Outcome
    from schemas.domain import DomainEvent


class Progress(NamedTuple):
    """One call of `ctx.progress`."""

    done: float
    total: float | None
    note: str


class FakeClock:
    """A clock that goes on only when told."""

    def __init__(self, now: dt.datetime = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) -> None:
        self.now = now

    def advance(self, by: Seconds) -> None:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds_of(by))

    def now_ms(self) -> int:
        return round(self.now.timestamp() * 1000)


class FakeContext(Context):
    """A context for calling a task in a test. Give what the handler looks at; the rest has defaults.

    `task` tells the name, and whether steps are awaited (`async def`) or wait themselves (`def`).
    `steps` are results kept by earlier attempts. Afterwards look at `published`, `enqueued`, `steps`,
    `progressed`.
    """

    __slots__ = ("_fake", "clock")

    def __init__(
        self,
        *,
        task: Task[..., Any] | None = None,
        event: "CloudEvent | DomainEvent | None" = None,
        attempt: int = 1,
        job_id: str = "job-1",
        key: str | bytes | None = None,
        state: Mapping[str, Any] | None = None,
        steps: Mapping[str, Any] | None = None,
        deadline: dt.datetime | None = None,
        scheduled_at: dt.datetime | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        job = _job(job_id, task, _envelope(event), key.encode() if isinstance(key, str) else key, self.clock)
        job.attempt = attempt
        job.steps = dict(steps) if steps is not None else None
        job.deadline_ms = None if deadline is None else round(deadline.timestamp() * 1000)
        if scheduled_at is not None:
            job.origin = {"scheduled_ms": round(scheduled_at.timestamp() * 1000)}
        self._fake = _FakePort(self.clock)
        super().__init__(job=job, state=dict(state or {}), port=self._fake)  # type: ignore[arg-type]

    @property
    def published(self) -> list[CloudEvent]:
        """The events the handler published, in order."""
        return [output.event for output in self._job.outputs or () if isinstance(output.event, CloudEvent)]

    @property
    def published_to(self) -> list[str]:
        """The topics of those events, in the same order."""
        return [
            output.topic or "" for output in self._job.outputs or () if isinstance(output.event, CloudEvent)
        ]

    @property
    def enqueued(self) -> list[JobRequest]:
        """The jobs the handler enqueued, in order: `.task`, `.args`, `.options`, `.job_id`."""
        return [output.event for output in self._job.outputs or () if isinstance(output.event, JobRequest)]

    @property
    def steps(self) -> dict[str, Any]:
        """The kept results of steps, by name."""
        return dict(self._job.steps or {})

    @property
    def progressed(self) -> list[Progress]:
        """What the handler said about its progress."""
        return self._fake.progressed

    def cancel(self, reason: str = "cancelled by the test") -> None:
        """Let the handler find `ctx.cancelled` true."""
        self._job.cancel_reason = reason

    def next_attempt(self) -> "FakeContext":
        """The context of the job's next attempt: kept steps are there, outputs are not."""
        return FakeContext(
            task=self._job.task,
            event=self._job.event,
            attempt=self._job.attempt + 1,
            job_id=self._job.id,
            key=self._job.key,
            state=self.state,
            steps=self._job.steps,
            deadline=self.deadline,
            scheduled_at=self.scheduled_at,
            clock=self.clock,
        )

    def outcome_of(self, task: Task[..., Any], error: BaseException) -> "Outcome":
        """What the worker would make of the handler raising this: retried when, dead-lettered; no jitter."""
        return decide(
            error,
            attempt=self.attempt,
            settings=task.settings,
            now_ms=self.clock.now_ms(),
            deadline_ms=self._job.deadline_ms,
            random=lambda: 1.0,
        )

    def _blocks(self) -> bool:
        if self._job.task is not None:
            return super()._blocks()
        return not _in_a_loop()

    def _wait(self, running: Coroutine[Any, Any, Any]) -> Any:
        # A loop of its own, in a thread of its own: the test may be inside a loop that cannot run another.
        with ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(asyncio.run, running).result()


class _FakePort:
    """What the engine is to a context, in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.progressed: list[Progress] = []

    async def journal(self, job: Job, name: str, result: Any) -> None:
        """Nothing to do: the job holds the result."""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def progress(self, job: Job, done: float, total: float | None, note: str) -> None:
        self.progressed.append(Progress(done, total, note))

    def logger_for(self, job: Job) -> Any:
        return structlog.get_logger(task=job.task_name, job_id=job.id)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _envelope(event: "CloudEvent | DomainEvent | None") -> CloudEvent:
    if event is None:
        return CloudEvent(id="event-1", source="/test", type="test.happened", data={})
    return event if isinstance(event, CloudEvent) else event.to_event(source="/test", id="event-1")


def _job(id: str, task: Task[..., Any] | None, event: CloudEvent, key: bytes | None, clock: FakeClock) -> Job:
    return Job(
        id=id,
        task=task,
        task_name="fake" if task is None else task.name,
        event=event,
        raw=RawRecord(key, None, (), clock.now_ms()),
        position=Position("test", 0, 0),
        source="test",
    )
