"""One request to run one task, from admission to settlement."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from schemas.cloudevent import CloudEvent
from schemas.job import JobState
from schemas.state import Position, RawRecord

if TYPE_CHECKING:
    from consumers.engine.asked import Asked
    from consumers.engine.lanes import Lane
    from consumers.engine.partition import Partition
    from consumers.engine.tracker import Tracker
    from consumers.outputs import Output
    from consumers.registry import Task
    from schemas.job import JobRequested
    from schemas.workflow import StepEnded, WorkflowCancelled

_NONE: Final[dict[str, Any]] = {}


class Job:
    """A job in flight. Times ending in `_ms` are wall clock, `started` is the monotonic clock in seconds.

    `task` is None for a record no task could be found for: it can only be dead-lettered or parked.
    What most jobs never need stays a default of the class: jobs are made 40,000 times a second.
    """

    payload: Any = None  # what the handler gets: a model, the envelope, or None for a plain task
    args: dict[str, Any] = _NONE  # validated keyword arguments of a plain task; replaced, never changed
    attempt = 1
    outputs: "list[Output] | None" = None  # events and enqueues to send when it completes
    steps: dict[str, Any] | None = None  # results of ctx.step already journaled
    attempts: "list[dict[str, Any]] | None" = None  # that ended before this one, oldest first, see `history`
    progress: dict[str, Any] | None = None  # the newest; replaced, never changed
    progress_is_new = False  # nobody was shown it yet
    origin: dict[str, Any] | None = None  # what its request says of where it comes from, see `origin_of`
    unique = False  # dropped while an equal job is unfinished, and only then

    # its workflow, see `schemas.workflow`
    then: list[dict[str, Any]] | None = None  # what follows when it ended
    input: dict[str, Any] | None = None  # where the rest of its arguments is to be fetched from
    broken: dict[str, Any] | None = None  # the step that failed, so that it will not run
    is_workflow = False  # it stands for a workflow under way, whose last job it is
    keeps_result = False  # the next step will read its result from the ledger
    flow: "JobRequested | StepEnded | WorkflowCancelled | None" = None  # it is news for a workflow, no job

    # its record in the retry table
    revision = 0  # of its last state record, 0 when there is none
    stored: JobState | None = None  # as what, None when it has none there
    due_ms = 0
    unknown_since_ms: int | None = None
    first_failed_ms: int | None = None
    not_before_ms: int | None = None
    deadline_ms: int | None = None

    # where it is
    partition: "Partition | None" = None
    held: "tuple[Tracker, int] | None" = None  # the offset not committed before it settles
    waiting: "list[Job] | None" = None  # equal requests that came while it was in flight
    ended: asyncio.Event | None = None  # set once it is settled, where somebody waits for it
    redrives: int | None = None  # the revision of the dead letter it is a redrive of

    # its attempt
    attempt_is_risky = False  # to be remembered durably before it runs
    suspected = 0  # attempts it made as one of the suspects of a crash
    alone = 0  # attempts it made as the only suspect of a crash
    started = 0.0
    started_ms = 0
    rank = 1  # of its priority: 0 high, 1 normal, 2 low
    duration_seconds: float | None = None  # of its last attempt; None when none was made
    runner: Any = None  # the asyncio task it runs in
    timed_out = False
    detached = False
    settling = False  # it ended; its outcome is on the way to be written
    lane: "Lane | None" = None  # where it runs, is ready, or waits for those before it
    shown: float | None = None  # when, on the monotonic clock, it was last remembered as running
    interrupted = False  # stopped by a shutdown or because its partition moved: no attempt
    cancel_reason: str | None = None  # somebody wants it to end, and why
    cancelled_by: str | None = None  # the id of the command that says so
    saw_cancel = False  # its handler looked at `ctx.cancelled` and found it set
    asked: "Asked | None" = None  # it is a command, no job

    def __init__(
        self,
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
        self.enqueued_ms = raw.timestamp_ms  # first published, by the log's clock
        self.ready_ms = raw.timestamp_ms  # could have started: published, or due

    @property
    def trace_id(self) -> str | None:
        return self.event.trace_id
