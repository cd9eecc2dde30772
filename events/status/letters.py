"""Dead letters as the read model lists them: where they are and why, never what is in them."""

from typing import Any, Final

from events.dead_letters import letter_facts
from events.status.store import Partition
from schemas.deadletter import DeadLetterHeader as Header

_TEXTS: Final = {
    "job_id": Header.JOB_ID,
    "task": Header.TASK,
    "reason": Header.REASON,
    "origin_topic": Header.ORIGIN_TOPIC,
    "exception_type": Header.EXCEPTION_TYPE,
    "exception_message": Header.EXCEPTION_MESSAGE,
    "release": Header.RELEASE,
}
_NUMBERS: Final = {
    "attempts": Header.ATTEMPTS,
    "origin_partition": Header.ORIGIN_PARTITION,
    "origin_offset": Header.ORIGIN_OFFSET,
    "first_failed_ms": Header.FIRST_FAILED_AT,
    "last_failed_ms": Header.LAST_FAILED_AT,
}
_MOST_DIGITS: Final = 18


def letter_id(source: str, partition: int, offset: int) -> str:
    """The name of a letter: `source:partition:offset`. No topic name holds a colon."""
    return f"{source}:{partition}:{offset}"


def letter_place(id: str) -> tuple[str, int, int] | None:
    """(source, partition, offset) of a letter's name; None for what is none."""
    source, _, rest = id.partition(":")
    partition, _, offset = rest.partition(":")
    numbers = _number(partition), _number(offset)
    if not source or numbers[0] is None or numbers[1] is None:
        return None
    return source, numbers[0], numbers[1]


def facts_of(record: Any, partition: Partition, source: str) -> dict[str, Any]:
    """What is listed of the letter in a record of this partition, whatever its headers look like."""
    told = letter_facts(record.headers)
    topic, number = partition
    facts: dict[str, Any] = {
        "id": letter_id(source, number, record.offset),
        "ms": max(record.timestamp, 0),
        "source": source,
        "topic": topic,
        "partition": number,
        "offset": record.offset,
    }
    facts |= {name: told.get(header, "") for name, header in _TEXTS.items()}
    return facts | {name: _number(told.get(header, "")) for name, header in _NUMBERS.items()}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
