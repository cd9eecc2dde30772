"""How one job is asked for: when, how urgent, under which id."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypedDict

from schemas.duration import Seconds, seconds_of
from schemas.job import MAX_JOB_ID_CHARACTERS, JsonKey

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")

P = ParamSpec("P")


class OptionNames(TypedDict, total=False):
    """The options of one enqueue, for checkers; what they mean: `EnqueueOptions`."""

    defer_by: Seconds | None
    run_at: dt.datetime | None
    priority: Priority | None
    job_id: str | None
    idempotency_key: JsonKey
    deadline: Seconds | dt.datetime | None
    headers: Mapping[str, str]
    unique: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueOptions:
    """Options of one enqueue. Raises `ValueError` naming the option that cannot be used.

    `defer_by` counts from the enqueue, `run_at` is an aware time; one of them at most.
    `deadline`: no attempt begins after it; seconds and timedelta count from the enqueue.
    `priority` None is the task's own, else normal. `job_id` names the job; `idempotency_key` makes equal
    requests the same job; one of them at most. `headers` travel with the request. `unique`: dropped while an
    equal job is unfinished, and only then; without an id or a key, jobs of equal arguments are equal.
    """

    defer_by: Seconds | None = None
    run_at: dt.datetime | None = None
    priority: Priority | None = None
    job_id: str | None = None
    idempotency_key: JsonKey = None
    deadline: Seconds | dt.datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    unique: bool = False

    def __post_init__(self) -> None:
        _one_at_most("defer_by", self.defer_by, "run_at", self.run_at)
        _one_at_most("job_id", self.job_id, "idempotency_key", self.idempotency_key)
        if self.defer_by is not None:
            _check("defer_by", self.defer_by)
        if self.run_at is not None:
            _check("run_at", self.run_at, wanted=dt.datetime)
        if self.deadline is not None:
            _check("deadline", self.deadline)
        if self.priority is not None and self.priority not in PRIORITIES:
            raise ValueError(f"priority={self.priority!r}: wanted one of {', '.join(PRIORITIES)}")
        if self.job_id is not None and not _is_job_id(self.job_id):
            raise ValueError(
                f"job_id={self.job_id!r:.60}: wanted text of 1 to {MAX_JOB_ID_CHARACTERS} characters"
            )

    def with_priority(self, priority: Priority) -> "EnqueueOptions":
        """The same with the task's priority, where this enqueue names none."""
        return self if self.priority is not None else replace(self, priority=priority)


class Enqueueable(Protocol[P]):
    """A plain task, as far as enqueueing is concerned; `P` are its parameters after the context."""

    @property
    def name(self) -> str: ...

    @property
    def priority(self) -> Priority:
        """Of its jobs, unless an enqueue says otherwise."""

    def __call__(self, ctx: Any, *args: P.args, **kwargs: P.kwargs) -> Any: ...

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The arguments by their names. Raises when there are too many."""

    def dump_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as JSON values. Raises when they do not fit the task's parameters."""


@dataclass(frozen=True, slots=True)
class Enqueue(Generic[P]):
    """A task together with the options of one enqueue: `send_email.options(defer_by=60)`."""

    task: Enqueueable[P]
    options: EnqueueOptions


def _one_at_most(first: str, one: object, second: str, other: object) -> None:
    if one is not None and other is not None:
        raise ValueError(f"{first} and {second} exclude each other: give one")


def _check(name: str, value: object, *, wanted: type | None = None) -> None:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name}={value!r}: a time needs its zone, such as datetime.now(timezone.utc)")
        return
    if wanted is not None:
        raise ValueError(f"{name}={value!r:.60}: wanted a datetime with its zone")
    try:
        seconds_of(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _is_job_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_JOB_ID_CHARACTERS
