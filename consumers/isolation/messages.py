"""What a worker and its children say to each other. Everything here can be pickled."""

from dataclasses import dataclass, field
from typing import Any, Literal

from consumers.outcomes import Failure
from consumers.outputs import Output
from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord

Why = Literal["timeout", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class Boot:
    """What a child needs to know to begin."""

    task_modules: tuple[str, ...]
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One attempt to make. `seen` counts the outputs noted before, so that no id is given twice."""

    number: int
    task: str
    id: str
    event: CloudEvent
    raw: RawRecord
    position: Position
    source: str
    attempt: int
    deadline_ms: int | None
    steps: dict[str, Any] | None
    origin: dict[str, Any] | None
    seen: dict[str, int]
    payload: Any
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """An exception on its way: as itself when it can be, at least as one of its classes."""

    failure: Failure
    error: bytes | None
    kind: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What an attempt came to. `spent`: the child should not be used again."""

    result: Any = None
    error: Packed | None = None
    outputs: list[Output] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    saw_stop: bool = False
    spent: bool = False


# -- beside the attempt: from the child


@dataclass(frozen=True, slots=True)
class BootFailed:
    """The child cannot begin, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step's result is to be kept; answered by `StepKept`."""

    number: int
    name: str
    result: Any


@dataclass(frozen=True, slots=True)
class Progressed:
    number: int
    done: float
    total: float | None
    note: str


# -- and to it


@dataclass(frozen=True, slots=True)
class Stop:
    """End the attempt, if it is this one that runs."""

    number: int
    why: Why
    reason: str


@dataclass(frozen=True, slots=True)
class StepKept:
    """The step's result is durable, or why it cannot be kept."""

    number: int
    name: str
    refused: str | None = None
