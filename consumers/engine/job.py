"""One request to run one task, from admission to settlement."""

import asyncio
from typing import TYPE_CHECKING, Any

from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord

if TYPE_CHECKING:
    from consumers.outputs import Output
    from consumers.engine.partition import Partition
    from consumers.engine.tracker import Tracker
    from consumers.registry import Task


class Job:
    """A job in flight. Times ending in `_ms` are wall clock, `started` is the monotonic clock in seconds.

    `task` is None for a record no task could be found for: it can only be dead-lettered or parked.
    """

    __slots__ = (
        "alone",
        "args",
        "attempt",
        "attempt_is_risky",
        "cancel_reason",
        "deadline_ms",
        "detached",
        "due_ms",
        "duration_seconds",
        "ended",
        "enqueued_ms",
        "event",
        "first_failed_ms",
        "held",
        "id",
        "interrupted",
        "key",
        "not_before_ms",
        "outputs",
        "partition",
        "payload",
        "position",
        "raw",
        "ready_ms",
        "redrives",
        "revision",
        "runner",
        "source",
        "started",
        "started_ms",
        "steps",
        "stored",
        "task",
        "task_name",
        "timed_out",
        "unknown_since_ms",
        "waiting",
    )

    def __init__(
        self,
        *,
        id: str,
        task: "Task[..., Any] | None",
        task_name: str,
        event: CloudEvent,
        raw: RawRecord,
        position: Position,
        source: str,
    ) -> None:
        self.id = id
        self.task = task
        self.task_name = task_name
        self.event = event
        self.raw = raw
        self.position = position  # where the record that asked for it is
        self.source = source
        self.key = raw.key
        self.payload: Any = None  # what the handler gets: a model, the envelope, or None for a plain task
        self.args: dict[str, Any] = {}  # validated keyword arguments of a plain task
        self.attempt = 1
        self.attempt_is_risky = False  # to be remembered durably before it runs
        self.revision = 0  # of its last state record, 0 when there is none
        self.stored = False  # has a record in the retry table
        self.due_ms = 0  # of that record
        self.alone = 0  # attempts it made as the only suspect of a crash
        self.ended: asyncio.Event | None = None  # set once it is settled, where somebody waits for it
        self.held: tuple[Tracker, int] | None = None  # the offset not committed before it settles
        self.redrives: int | None = None  # the revision of the dead letter it is a redrive of
        self.enqueued_ms = raw.timestamp_ms  # first published, by the log's clock
        self.ready_ms = raw.timestamp_ms  # could have started: published, or due
        self.not_before_ms: int | None = None
        self.deadline_ms: int | None = None
        self.first_failed_ms: int | None = None
        self.unknown_since_ms: int | None = None
        self.steps: dict[str, Any] | None = None  # results of ctx.step already journaled
        self.outputs: list[Output] | None = None  # events and enqueues to send when it completes
        self.started = 0.0
        self.duration_seconds: float | None = None  # of its last attempt; None when none was made
        self.started_ms = 0
        self.partition: Partition | None = None
        self.runner: Any = None
        self.timed_out = False
        self.detached = False
        self.interrupted = False  # stopped by a shutdown or because its partition moved: no attempt
        self.cancel_reason: str | None = None
        self.waiting: list[Job] | None = None  # equal requests that came while it was in flight

    @property
    def trace_id(self) -> str | None:
        return self.event.trace_id
