"""The names of a task's options: ours with their types, and what other job libraries call them."""

import datetime as dt
import difflib
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypedDict

from consumers.backoff import Backoff
from events.queue_options import Priority

Seconds = int | float | dt.timedelta
Errors = type[BaseException] | tuple[type[BaseException], ...]
On = str | type[Any]


class OptionNames(TypedDict, total=False):
    """Every option of `@task(...)`. Lengths of time are seconds or a timedelta."""

    name: str
    on: On | Sequence[On]
    topic: str
    when: Callable[[Any], bool]
    idempotency_key: Callable[[Any], Any] | str
    order: Literal["key", "none"]
    timeout: Seconds | None
    max_tries: int
    backoff: Backoff
    retry_on: Errors
    fail_on: Errors
    discard_on: Errors
    deadline: Seconds
    priority: Priority
    max_jobs: int
    rate: str
    isolation: Literal["thread", "process"]
    memory_limit: int | str
    dedupe_ttl: Seconds
    result_ttl: Seconds
    failure_ttl: Seconds
    store_result: bool
    log_args: bool
    on_failure: Any
    announce: bool | str


OURS: Final = frozenset(OptionNames.__annotations__)

FOREIGN: Final = {
    "acks_late": "nothing: a job is acknowledged only after its outcome is durable",
    "autoretry_for": "retry_on",
    "bind": "nothing: every task gets its context first",
    "countdown": "task.options(defer_by=…) when enqueuing",
    "default_retry_delay": "backoff=Fixed(…)",
    "dont_autoretry_for": "fail_on",
    "dedupe": "dedupe_ttl",
    "delay": "task.options(defer_by=…) when enqueuing",
    "eta": "task.options(run_at=…) when enqueuing",
    "expires": "deadline",
    "group": "topic",
    "ignore_result": "store_result=False",
    "job_id": "task.options(job_id=…) when enqueuing",
    "job_timeout": "timeout",
    "keep_result": "result_ttl",
    "keep_result_s": "result_ttl",
    "max_age": "deadline",
    "max_memory": "memory_limit",
    "max_backoff": "backoff=Exponential(cap=…)",
    "max_concurrency": "max_jobs",
    "max_retries": "max_tries",
    "min_backoff": "backoff=Exponential(base=…)",
    "queue": "topic, or priority",
    "queue_name": "topic, or priority",
    "rate_limit": "rate",
    "result_expires": "result_ttl",
    "retries": "max_tries",
    "retry": "max_tries",
    "retry_backoff": "backoff=Exponential(…)",
    "retry_backoff_max": "backoff=Exponential(cap=…)",
    "retry_jitter": "backoff=Exponential(jitter=…)",
    "retry_when": "retry_on",
    "soft_time_limit": "timeout",
    "throws": "fail_on",
    "time_limit": "timeout",
    "timeout_seconds": "timeout",
    "topics": "topic",
    "ttl": "dedupe_ttl",
    "type": "on",
}


def unknown_option(name: str) -> str:
    """What to say about an option we do not have."""
    if name in FOREIGN:
        return f"unknown option {name!r}: use {FOREIGN[name]}"
    close = difflib.get_close_matches(name, OURS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(OURS))}"
    return f"unknown option {name!r}: {hint}"
