"""What the routes that read answer with."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, Field

from schemas.job import JobState
from schemas.status import JobStatus, Moment


class JobList(BaseModel):
    """A page of jobs, newest first. `cursor` asks for the next page; without one there is none."""

    jobs: list[JobStatus]
    cursor: str | None = None


class TreeJob(BaseModel):
    """A job of a workflow, with those it asked for."""

    job_id: str
    task: str
    state: JobState
    step: str | None = None
    children: list["TreeJob"] = []


class JobTree(BaseModel):
    """A workflow as far as it is known. `states` counts all of its jobs, also those not shown."""

    root: str
    jobs: list[TreeJob]
    states: dict[JobState, int]
    truncated: bool = Field(description="whether jobs were left out")


class TaskInfo(BaseModel):
    """A task as the workers announce it, and how many of its jobs are known in each state.

    `announced` is false for a task only its jobs tell of.
    """

    task: str
    announced: bool = True
    removed: bool = False
    release: str | None = None
    arguments: dict[str, Any] | None = Field(default=None, description="JSON Schema of the arguments")
    on: list[dict[str, Any]] = []
    timeout_seconds: float | None = None
    max_tries: int | None = None
    priority: str | None = None
    doc: str | None = None
    module: str | None = None
    states: dict[JobState, int] = {}


class TaskList(BaseModel):
    tasks: list[TaskInfo]


class WorkerInfo(BaseModel):
    """The last sign of life of a worker. `silent`: none came for a while, and it did not say goodbye."""

    worker: str
    state: str
    silent: bool
    release: str | None = None
    started_at: Moment | None = None
    seen_at: Moment | None = None
    partitions: dict[str, list[int]] = {}
    running: int | None = None
    tasks: list[str] = []


class WorkerList(BaseModel):
    workers: list[WorkerInfo]


class LetterInfo(BaseModel):
    """A dead letter without what is in it. `id` is `source:partition:offset`."""

    id: str
    source: str
    topic: str
    partition: int
    offset: int
    written_at: Moment | None = None
    reason: str
    job_id: str | None = None
    task: str | None = None
    attempts: int | None = None
    exception_type: str | None = None
    exception_message: str | None = None
    first_failed_at: Moment | None = None
    last_failed_at: Moment | None = None
    origin_topic: str | None = None
    origin_partition: int | None = None
    origin_offset: int | None = None
    release: str | None = None


class LetterList(BaseModel):
    """A page of dead letters, newest first."""

    letters: list[LetterInfo]
    cursor: str | None = None


class LetterHeader(BaseModel):
    """A header of the original record. `base64` where the value is no text."""

    name: str
    value: str | None = None
    base64: bool = False


class Letter(LetterInfo):
    """A dead letter whole: the original key, value and headers."""

    exception_stack: str | None = None
    key: LetterHeader
    value: LetterHeader
    headers: list[LetterHeader]


class LastOccurrence(BaseModel):
    """What became of the newest time of a schedule. `why` says why it was skipped."""

    outcome: str | None = None
    scheduled_at: Moment | None = None
    why: str | None = None
    job_id: str | None = None


class ScheduleInfo(BaseModel):
    """A schedule as the workers announce it, and where it is. `next_at` is null while it is paused."""

    schedule: str
    task: str | None = None
    cron: str | None = None
    every_seconds: float | None = None
    timezone: str | None = None
    missed: str | None = None
    overlap: str | None = None
    catch_up_seconds: float | None = None
    jitter_seconds: float | None = None
    args: dict[str, Any] = {}
    release: str | None = None
    paused: bool = False
    next_at: Moment | None = None
    last_at: Moment | None = None
    last_outcome: LastOccurrence | None = None


class ScheduleList(BaseModel):
    schedules: list[ScheduleInfo]


class Overview(BaseModel):
    """Everything at a glance. `lag_seconds` is how far the gateway is behind Kafka, if it ever caught up."""

    states: dict[JobState, int]
    tasks: dict[str, dict[JobState, int]]
    dead_letters: dict[str, int] = Field(description="by source")
    workers: int = Field(description="that gave a sign of life lately")
    ready: bool
    lag_seconds: float | None = None
    at: dt.datetime
