"""What a workflow wants next, as values."""

from dataclasses import dataclass
from typing import Any

from schemas.job import JobRequested, JobState
from schemas.workflow import Json


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended. `input` is its result for the next one, `error` why it did not complete; `cause` is
    the step that first failed, where that was another one."""

    job_id: str
    task: str
    step: str | None
    state: JobState
    input: Json | None = None
    error: Json | None = None
    cause: Json | None = None

    @property
    def well(self) -> bool:
        return self.state is JobState.COMPLETED

    def failure(self) -> Json:
        """The step that failed."""
        own = {"job_id": self.job_id, "task": self.task, "step": self.step, "state": self.state.value}
        return self.cause or own | {"error": self.error}


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a job. `priority` None is normal."""

    request: JobRequested
    priority: Any = None


@dataclass(frozen=True, slots=True)
class Open:
    """Begin a group where the workflow lives. `request` asks for that and names the job that follows it;
    `follow` is the request of that job once all members ended."""

    request: JobRequested
    follow: JobRequested
    join: str
    path: str
    members: list[Json]
    input: Json | None


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the join that its n-th member ended."""

    join: str
    n: int
    partition: int
    ended: Ended


@dataclass(frozen=True, slots=True)
class Break:
    """The job `request` asks for will never run: what it waited for failed. `request.broken` says why."""

    request: JobRequested


Action = Ask | Open | Report | Break
