"""What a job is: its identity, its states, and the request that asks for one.

The job id is `uuid5(NAMESPACE, compact JSON of [task, idempotency key, replay id or null])`, so every client
in any language names the same job the same way; vectors to test against: `schemas/vectors/job_id.json`.
"""

import enum
import uuid
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.state import RESERVED_PREFIXES

try:
    from _sha1 import sha1 as _sha1  # type: ignore[import-not-found]  # for a few bytes OpenSSL's takes twice as long
except ImportError:  # pragma: no cover - an interpreter built without it
    from hashlib import sha1 as _sha1

NAMESPACE: Final = uuid.UUID("6f1f3f0c-9a52-5d0e-8d3c-7b1f0f5f2a10")
JOB_REQUESTED: Final = "headrace.job.requested.v1"
JOB_COMPLETED: Final = "headrace.job.completed.v1"
JOB_FAILED: Final = "headrace.job.failed.v1"
MAX_JOB_ID_CHARACTERS: Final = 128
MAX_TASK_CHARACTERS: Final = 200

_SEED: Final = NAMESPACE.bytes
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

JsonKey = str | int | float | bool | None | list[Any] | dict[str, Any]


def job_id(task: str, idempotency_key: JsonKey, replay: str | None = None) -> str:
    """The id of the job that runs `task` for `idempotency_key` (RFC 9562 version 5 UUID)."""
    return _uuid5(orjson.dumps([task, idempotency_key, replay]))


def derived_id(parent: str, kind: str, index: int) -> str:
    """The id of the `index`-th output of a job: the same in every attempt, so that a repeat is recognised."""
    return _uuid5(orjson.dumps([parent, kind, index]))


def _uuid5(name: bytes) -> str:
    return uuid_text(_sha1(_SEED + name).hexdigest(), 5)


def uuid_text(digits: str, version: int) -> str:
    """The UUID (RFC 9562) of this version whose other bits are the first 32 hexadecimal `digits`."""
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


class JobState(enum.StrEnum):
    """Every state a job can be seen in."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    DISCARDED = "discarded"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def finished(self) -> bool:
        return self not in UNFINISHED


UNFINISHED: Final = frozenset({JobState.PENDING, JobState.SCHEDULED, JobState.RUNNING, JobState.RETRYING})


class JobRequested(BaseModel):
    """Data of `headrace.job.requested.v1`: run `task` with `args`, or for the `event` that asked for it.

    `event` is a structured CloudEvent (JSON). Times are milliseconds since 1970-01-01 UTC.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: str = Field(min_length=1, max_length=MAX_TASK_CHARACTERS)
    job_id: str = Field(min_length=1, max_length=MAX_JOB_ID_CHARACTERS)
    args: dict[str, Any] = {}
    event: dict[str, Any] | None = None
    idempotency_key: JsonKey = None
    not_before_ms: int | None = Field(default=None, ge=0, le=253402300799999)
    deadline_ms: int | None = Field(default=None, ge=0, le=253402300799999)
    headers: dict[str, str] = {}

    parent: str | None = None  # the job that enqueued it
    root: str | None = None  # the workflow it belongs to
    step: str | None = None  # its place in the workflow
    schedule: str | None = None  # the schedule it is an occurrence of
    scheduled_ms: int | None = None  # when that schedule wanted it to run
    unique: bool = False  # dropped while an equal job is unfinished, and only then

    # of workflows, see `schemas.workflow`
    then: list[dict[str, Any]] | None = None  # what follows when it ended
    input: dict[str, Any] | None = None  # what its first free argument gets
    workflow: dict[str, Any] | None = None  # no job yet: what has to run before it
    broken: dict[str, Any] | None = None  # not to be run any more: what it waited for failed

    @field_validator("job_id")
    @classmethod
    def _is_not_reserved(cls, id: str) -> str:
        for prefix in RESERVED_PREFIXES:
            if id.startswith(prefix.decode()):
                taken = prefix.decode()
                raise ValueError(f"a job id may not begin with {taken!r}: state topics keep such keys")
        return id
