"""What an attempt came to: frozen values, settled by one exhaustive match in `engine/settlement.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from schemas.deadletter import Reason
from schemas.job import JobState


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in an attempt, ready to be stored: no live exception, no frames kept alive."""

    type: str
    message: str
    stack: str = ""

    def document(self) -> dict[str, str]:
        return {"type": self.type, "message": self.message}


@dataclass(frozen=True, slots=True)
class Completed:
    result: Any = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Park the job until `due_ms`. `counted` is false when the attempt shall not use up a try."""

    due_ms: int
    failure: Failure
    counted: bool = True


@dataclass(frozen=True, slots=True)
class DeadLettered:
    reason: Reason
    failure: Failure


@dataclass(frozen=True, slots=True)
class Discarded:
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A duplicate of a job that exists already."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The deadline passed before the job completed."""

    failure: Failure


Outcome = Completed | RetryLater | DeadLettered | Discarded | Skipped | Cancelled | Expired

COMPLETED: Final = Completed()


class Settled(NamedTuple):
    """How an outcome is seen from outside: the job's state in the API, the `outcome` label of metrics."""

    state: JobState
    label: str


SEEN_AS: Final[Mapping[type[Outcome], Settled]] = {
    Completed: Settled(JobState.COMPLETED, "completed"),
    RetryLater: Settled(JobState.RETRYING, "retried"),
    DeadLettered: Settled(JobState.FAILED, "dead_lettered"),
    Discarded: Settled(JobState.DISCARDED, "discarded"),
    Skipped: Settled(JobState.SKIPPED, "skipped"),
    Cancelled: Settled(JobState.CANCELLED, "cancelled"),
    Expired: Settled(JobState.EXPIRED, "expired"),
}
