"""One reader for each option of a task: the value as written in, the value as kept out, or `ValueError`."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from consumers.backoff import Backoff
from consumers.option_names import On
from consumers.rates import read_rate
from events.queue_options import PRIORITIES
from schemas.duration import seconds_of

RECORD_KEY: Final = "record_key"
_NAME_LIMIT_CHARACTERS: Final = 200
LEAST_MEMORY_BYTES: Final = 128_000_000
_MEMORY: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]i?B)", re.IGNORECASE)
_UNITS: Final = {"KB": 1000, "MB": 1000**2, "GB": 1000**3, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


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


def _memory(value: Any) -> int:
    found = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        raise ValueError("wanted bytes, or text such as '512MB' or '2GiB'")
    bytes = int(float(found[1]) * _UNITS[found[2].upper()]) if found is not None else _count(value)
    if bytes < LEAST_MEMORY_BYTES:
        raise ValueError("wanted at least 128MB: Python and its libraries take half of that")
    return bytes


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


READERS: Final[dict[str, Callable[[Any], Any]]] = {
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
    "rate": read_rate,
    "isolation": _one_of("thread", "process"),
    "memory_limit": _memory,
    "dedupe_ttl": _length,
    "result_ttl": _length,
    "failure_ttl": _length,
    "store_result": _flag,
    "log_args": _flag,
    "on_failure": _on_failure,
    "announce": _announce,
}
