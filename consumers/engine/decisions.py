"""What the engine itself decides about a job, beside the outcomes of attempts."""

from dataclasses import dataclass
from typing import Any

from consumers.outcomes import Failure, Outcome
from schemas.job import JobState


@dataclass(frozen=True, slots=True)
class Parked:
    """Not to run before `due_ms`; no attempt was made."""

    due_ms: int
    state: JobState = JobState.SCHEDULED


@dataclass(frozen=True, slots=True)
class Rerouted:
    """To run elsewhere: its only output is the enqueue that asks for it there."""


@dataclass(frozen=True, slots=True)
class Known:
    """Already settled or parked by the very same record: nothing to write, only to acknowledge."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a command, kept for whoever asked."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """The last job of a workflow that will never run, because a step before it did not end well."""

    state: JobState
    failure: Failure
    cause: dict[str, Any]


Decision = Outcome | Parked | Rerouted | Known | Answered | Broken
KNOWN = Known()
REROUTED = Rerouted()
