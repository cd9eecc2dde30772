"""What is known of a job, as the API and clients tell it."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.job import JobState

Moment = Annotated[dt.datetime, Field(description="RFC 3339, UTC, to the millisecond")]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class JobError(_Told):
    """Why an attempt ended without success."""

    type: str
    message: str = ""
    stack: str | None = None


class JobAttempt(_Told):
    """One ended attempt. `outcome` is a state, or `timed_out` or `worker_lost`."""

    n: int
    outcome: str
    started_at: Moment | None = None
    ended_at: Moment | None = None
    worker: str | None = None
    error: JobError | None = None


class JobProgress(_Told):
    """How far a job said it got."""

    done: float | None = None
    total: float | None = None
    note: str | None = None
    at: Moment | None = None


class JobEvent(_Told):
    """The event that caused a job."""

    id: str
    type: str
    source: str


class JobOrigin(_Told):
    """Where the record that asked for a job is in the log. A schedule asks without one: its offset is -1."""

    topic: str
    partition: int
    offset: int


class JobStatus(_Told):
    """Everything known of a job. `revision` grows with every change Kafka was told of, from 0."""

    job_id: str
    task: str
    state: JobState
    finished: bool
    revision: int
    attempt: int = Field(description="the number of the newest attempt, 0 before the first")
    source: str
    partition: int
    priority: str | None = None

    enqueued_at: Moment | None = None
    due_at: Moment | None = Field(default=None, description="when it runs or is tried again")
    started_at: Moment | None = Field(default=None, description="of the newest attempt")
    finished_at: Moment | None = None
    deadline_at: Moment | None = None
    expires_at: Moment | None = Field(default=None, description="when this record is forgotten")

    worker: str | None = None
    attempts: list[JobAttempt] = Field(default=[], description="ended ones, oldest first, at most 21")
    error: JobError | None = Field(default=None, description="of the newest attempt")
    result: Any = None
    progress: JobProgress | None = None
    cancel_reason: str | None = None

    event: JobEvent | None = Field(default=None, description="absent for jobs asked for directly")
    origin: JobOrigin | None = None
    key: str | None = None
    parent: str | None = Field(default=None, description="the job that asked for it")
    root: str | None = Field(default=None, description="its workflow")
    step: str | None = Field(default=None, description="its place in the workflow")
    schedule: str | None = None
    scheduled_at: Moment | None = Field(default=None, description="when its schedule wanted it to run")
    children: list[str] = Field(default=[], description="the first 100 jobs it asked for; of one job only")


def moment(ms: int | None) -> dt.datetime | None:
    """The time of milliseconds since 1970; None for none, 0 and what no calendar holds."""
    if not isinstance(ms, int) or not 0 < ms <= 253402300799999:
        return None
    return dt.datetime.fromtimestamp(ms // 1000, dt.UTC).replace(microsecond=ms % 1000 * 1000)
