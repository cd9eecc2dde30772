"""One request to run one task, from admission to settlement."""

from typing import TYPE_CHECKING, Any

from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord

if TYPE_CHECKING:
    from consumers.context import Context, Output
    from consumers.registry import Task


class Job:
    """A job in flight. Times ending in `_ms` are wall clock, `started` is the monotonic clock in seconds."""

    __slots__ = (
        "args",
        "attempt",
        "cancel_reason",
        "context",
        "deadline_ms",
        "detached",
        "enqueued_ms",
        "event",
        "first_failed_ms",
        "id",
        "key",
        "outputs",
        "payload",
        "position",
        "raw",
        "ready_ms",
        "revision",
        "runner",
        "source",
        "started",
        "started_ms",
        "steps",
        "stored",
        "task",
        "timed_out",
        "waiting",
    )

    def __init__(
        self, *, id: str, task: "Task[..., Any]", event: CloudEvent, raw: RawRecord, position: Position, source: str
    ) -> None:
        self.id = id
        self.task = task
        self.event = event
        self.raw = raw
        self.position = position  # where the record that asked for it is
        self.source = source
        self.key = raw.key
        self.payload: Any = None  # what the handler gets: a model, the envelope, or None for a plain task
        self.args: dict[str, Any] = {}  # validated keyword arguments of a plain task
        self.attempt = 1
        self.revision = 0  # of the state record it was read from, 0 when there is none
        self.stored = False  # has a record in the retry table
        self.enqueued_ms = raw.timestamp_ms  # first published, by the log's clock
        self.ready_ms = raw.timestamp_ms  # could have started: published, or due
        self.deadline_ms: int | None = None
        self.first_failed_ms: int | None = None
        self.steps: dict[str, Any] | None = None  # results of ctx.step already journaled
        self.outputs: list[Output] | None = None  # events and enqueues to send when it completes
        self.started = 0.0
        self.started_ms = 0
        self.context: Context | None = None
        self.runner: Any = None
        self.timed_out = False
        self.detached = False
        self.cancel_reason: str | None = None
        self.waiting: list[Any] | None = None  # equal requests that came while it was in flight
