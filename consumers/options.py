"""The options of a task, checked once: what `@task(...)` was given becomes one frozen value.

A wrong option stops the worker at boot; nothing is accepted and then ignored.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from consumers.backoff import Backoff, Exponential
from consumers.option_names import OURS, On, unknown_option
from events.queue_options import PRIORITIES, Priority
from schemas.duration import seconds_of

RECORD_KEY: Final = "record_key"
DEFAULT_BACKOFF: Final = Exponential(base=1, cap=300)
DAY_SECONDS: Final = 86_400.0
_NAME_LIMIT_CHARACTERS: Final = 200


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
    isolation: str | None = None
    dedupe_ttl_seconds: float = DAY_SECONDS
    result_ttl_seconds: float = DAY_SECONDS
    failure_ttl_seconds: float = 7 * DAY_SECONDS
    store_result: bool = True
    log_args: bool = False
    on_failure: str | None = None
    announce: bool | str = False


def read_options(given: Mapping[str, Any], *, function_name: str) -> TaskOptions:
    """The options somebody wrote. Raises `ValueError` with all that is wrong with them."""
    problems = [unknown_option(name) for name in given if name not in OURS and name not in _NOT_YET]
    problems += [f"{name}= is not there yet: leave it out" for name in given if name in _NOT_YET]
    read: dict[str, Any] = {"name": function_name}
    for name, value in given.items():
        if name not in OURS:
            continue
        try:
            read[_FIELD.get(name, name)] = _READERS[name](value)
        except ValueError as error:
            problems.append(f"{name}={value!r:.60}: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return TaskOptions(**read)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_LIMIT_CHARACTERS or not value.isprintable():
        raise ValueError(f"wanted printable text of 1 to {_NAME_LIMIT_CHARACTERS} characters")
    return value


def _on(value: Any) -> tuple[On, ...]:
    wanted = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
    if not wanted:
        raise ValueError("empty: name an event, or leave it out for a task that is only enqueued")
    for one in wanted:
        if isinstance(one, type) and isinstance(getattr(one, "type", None), str):
            continue
        if not isinstance(one, str) or not one:
            raise ValueError("wanted a DomainEvent class, an event type as text, or a list of those")
    return wanted


def _function(value: Any) -> Callable[[Any], Any]:
    if not callable(value):
        raise ValueError("wanted a function of the event")
    return value  # type: ignore[no-any-return]


def _idempotency_key(value: Any) -> Callable[[Any], Any] | str:
    if value == RECORD_KEY:
        return RECORD_KEY
    if not callable(value):
        raise ValueError(f"wanted a function of the event, or {RECORD_KEY!r}")
    return value  # type: ignore[no-any-return]


def _order(value: Any) -> str:
    if value == "strict":
        raise ValueError("not there yet; 'key' keeps jobs of one key in order, except across retries")
    return _one_of("key", "none")(value)


def _isolation(value: Any) -> str:
    if value == "process":
        raise ValueError("not there yet; a `def` task runs in a thread")
    return _one_of("thread")(value)


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"wanted {' or '.join(map(repr, allowed))}")
        return str(value)

    return read


def _length(value: Any) -> float:
    seconds = seconds_of(value)
    if seconds == 0:
        raise ValueError("wanted more than 0 seconds, up to 100 years")
    return seconds


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("wanted a whole number from 1")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("wanted True or False")
    return value


def _errors(value: Any) -> tuple[type[BaseException], ...]:
    wanted = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
    for one in wanted:
        if not isinstance(one, type) or not issubclass(one, BaseException):
            raise ValueError("wanted exception classes")
    return wanted


def _backoff(value: Any) -> Backoff:
    if isinstance(value, int | float | dt.timedelta):
        raise ValueError(f"wanted Fixed({value!r}), Linear(…) or Exponential(…)")
    if not callable(getattr(value, "delay_seconds", None)):
        raise ValueError("wanted Fixed(…), Linear(…) or Exponential(…)")
    return value  # type: ignore[no-any-return]


def _on_failure(value: Any) -> str:
    name = getattr(value, "name", value)
    if not isinstance(name, str) or not name:
        raise ValueError("wanted a plain task or its name")
    return name


def _announce(value: Any) -> bool | str:
    if not isinstance(value, bool | str) or value == "":
        raise ValueError("wanted True, False or a topic")
    return value


_NOT_YET: Final = frozenset({"rate"})

_FIELD: Final = {
    name: f"{name}_seconds" for name in ("timeout", "deadline", "dedupe_ttl", "result_ttl", "failure_ttl")
}

_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": _name,
    "on": _on,
    "topic": _name,
    "when": _function,
    "idempotency_key": _idempotency_key,
    "order": _order,
    "timeout": lambda value: None if value is None else _length(value),
    "max_tries": _count,
    "backoff": _backoff,
    "retry_on": _errors,
    "fail_on": _errors,
    "discard_on": _errors,
    "deadline": _length,
    "priority": _one_of(*PRIORITIES),
    "max_jobs": _count,
    "isolation": _isolation,
    "dedupe_ttl": _length,
    "result_ttl": _length,
    "failure_ttl": _length,
    "store_result": _flag,
    "log_args": _flag,
    "on_failure": _on_failure,
    "announce": _announce,
}

assert {_FIELD.get(name, name) for name in OURS} == {field.name for field in fields(TaskOptions)}
