"""The options of a task, checked once: what `@task(...)` was given becomes one frozen value.

A wrong option stops the worker at boot; nothing is accepted and then ignored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.backoff import Backoff, Exponential
from consumers.option_names import OURS, On, unknown_option
from consumers.option_readers import READERS, RECORD_KEY
from consumers.rates import Rate
from events.queue_options import Priority

__all__ = ["RECORD_KEY", "TaskOptions", "read_options"]

DEFAULT_BACKOFF: Final = Exponential(base=1, cap=300)
DAY_SECONDS: Final = 86_400.0

_FIELD: Final = {
    name: f"{name}_seconds" for name in ("timeout", "deadline", "dedupe_ttl", "result_ttl", "failure_ttl")
} | {"memory_limit": "memory_limit_bytes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """How jobs of a task are run and remembered. `retry_on` None: everything is retried."""

    name: str
    on: tuple[On, ...] = ()
    topic: str | None = None
    when: Callable[[Any], bool] | None = None
    idempotency_key: Callable[[Any], Any] | str | None = None
    order: str = "key"
    timeout_seconds: float | None = 300.0
    max_tries: int = 5
    backoff: Backoff = DEFAULT_BACKOFF
    retry_on: tuple[type[BaseException], ...] | None = None
    fail_on: tuple[type[BaseException], ...] = ()
    discard_on: tuple[type[BaseException], ...] = ()
    deadline_seconds: float | None = None
    priority: Priority = "normal"
    max_jobs: int | None = None
    rate: Rate | None = None
    isolation: str | None = None
    memory_limit_bytes: int | None = None
    dedupe_ttl_seconds: float = DAY_SECONDS
    result_ttl_seconds: float = DAY_SECONDS
    failure_ttl_seconds: float = 7 * DAY_SECONDS
    store_result: bool = True
    log_args: bool = False
    on_failure: str | None = None
    announce: bool | str = False

    # asked for every job, so worked out once
    reports: bool = field(init=False)  # somebody may be told how its jobs end
    kept_ms: int = field(init=False)  # how long the ledger knows a job that finished
    failure_kept_ms: int = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "reports", bool(self.announce) or self.on_failure is not None)
        put(self, "kept_ms", int(max(self.dedupe_ttl_seconds, self.result_ttl_seconds) * 1000))
        put(self, "failure_kept_ms", int(self.failure_ttl_seconds * 1000))


def read_options(given: Mapping[str, Any], *, function_name: str) -> TaskOptions:
    """The options somebody wrote. Raises `ValueError` with all that is wrong with them."""
    problems = [unknown_option(name) for name in given if name not in OURS]
    read: dict[str, Any] = {"name": function_name}
    for name, value in given.items():
        if name not in OURS:
            continue
        try:
            read[_FIELD.get(name, name)] = READERS[name](value)
        except ValueError as error:
            problems.append(f"{name}={value!r:.60}: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return TaskOptions(**read)
