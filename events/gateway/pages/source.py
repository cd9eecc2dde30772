"""What the pages show, and what they ask for: whoever has it fills these in."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from starlette.requests import Request

from events.gateway.keys import Caller
from schemas.command import Command
from schemas.job import JobState
from schemas.status import JobStatus

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows; None is any. Times are milliseconds since 1970."""

    task: str | None = None
    state: JobState | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    event_id: str | None = None
    parent: str | None = None
    root: str | None = None
    schedule: str | None = None


class JobsPage(NamedTuple):
    """Jobs, newest first. `cursor` leads to older ones; None at the end."""

    jobs: Sequence[JobStatus]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A task, announced or only known from its jobs, and how many jobs it has in each state."""

    name: str
    counts: Mapping[JobState, int]
    announced: bool = True
    doc: str | None = None
    on: Sequence[str] = ()  # event types it subscribes to


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLine:
    """A worker as its last sign of life told."""

    name: str
    state: str
    release: str | None = None
    running: int | None = None
    started_at: dt.datetime | None = None
    seen_at: dt.datetime | None = None
    partitions: Mapping[str, Sequence[int]] = field(default_factory=dict)


class LagLine(NamedTuple):
    """How many records of a topic the workers have not settled, and for how long the first of them waits."""

    topic: str
    records: int
    seconds: float | None = None  # None where nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything at a glance. `behind_seconds` is how old the gateway's own knowledge is, None unknown."""

    tasks: Sequence[TaskLine]
    workers: Sequence[WorkerLine]
    failures: Sequence[JobStatus]
    letters: int | None = None
    lags: Sequence[LagLine] = ()
    behind_seconds: float | None = None

    @property
    def counts(self) -> dict[JobState, int]:
        return {state: sum(task.counts.get(state, 0) for task in self.tasks) for state in JobState}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """A schedule. `outcome` tells of its last time: `fired` or `skipped`, and `why`."""

    name: str
    task: str
    timing: str
    timezone: str | None = None
    next_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    paused: bool = False
    outcome: str | None = None
    why: str | None = None
    job_id: str | None = None
    missed: str | None = None
    overlap: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """A dead letter without its payload."""

    id: str
    topic: str
    partition: int
    offset: int
    reason: str
    job_id: str | None = None
    task: str | None = None
    at: dt.datetime | None = None


class LettersPage(NamedTuple):
    """Dead letters, newest first."""

    letters: Sequence[LetterLine]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A dead letter whole. `facts` are its `headrace-*` headers by name, `headers` those of the original."""

    line: LetterLine
    facts: Mapping[str, str]
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None


class KnownJob(NamedTuple):
    """A job; unless `is_current`, as it was when Kafka was last read."""

    status: JobStatus
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A job and those below it: of the steps of its workflow, or those it asked for."""

    job: JobStatus
    children: Sequence["TreeNode"] = ()


class Family(NamedTuple):
    """The jobs one belongs with. `is_whole`: none is left out."""

    nodes: Sequence[TreeNode]
    is_whole: bool


class PageSource(Protocol):
    """Reads. What is not known is None; a source that cannot tell raises a problem."""

    async def overview(self) -> Overview: ...

    async def task_names(self) -> Sequence[str]: ...

    async def job(self, job_id: str) -> KnownJob | None: ...

    async def jobs(self, wanted: JobFilter, *, limit: int, cursor: str | None) -> JobsPage: ...

    async def family(self, job: JobStatus) -> Family:
        """The workflow of a job, or the job and those it asked for."""
        ...

    async def letter_of(self, job_id: str) -> str | None:
        """The id of the newest dead letter of a job."""
        ...

    async def schedules(self) -> Sequence[ScheduleLine]: ...

    async def letters(
        self, *, task: str | None, reason: str | None, limit: int, cursor: str | None
    ) -> LettersPage: ...

    async def letter(self, letter_id: str) -> LetterView | None: ...

    async def answer(self, command_id: str) -> Document | None:
        """What became of a command, None while nobody has answered."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for something, and with which key: asked twice with one key, it is done once."""

    request: Request
    caller: Caller
    key: str


class PageCommands(Protocol):
    """Asks. Each waits a moment for the answer, and returns the id under which the source tells it.

    Raises problems, those for an answer that says no with its `command_id`.
    """

    async def ask_job(
        self,
        asking: Asking,
        command: Command,
        job_id: str,
        *,
        reason: str = "",
        due: dt.datetime | None = None,
    ) -> str: ...

    async def redrive(self, asking: Asking, letter_id: str) -> str: ...

    async def ask_schedule(self, asking: Asking, command: Command, schedule: str) -> str: ...
