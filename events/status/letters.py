"""Dead letters as the read model lists them: where they are and why, never what is in them."""

from typing import Any, Final

from events.dead_letters import letter_of
from schemas.deadletter import DeadLetterHeader as Header

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


def facts_of(record: Any, source: str) -> dict[str, Any]:
    """What is listed of the letter in a record of a dead-letter topic, whatever its headers look like."""
    letter = letter_of(record, source)
    facts: dict[str, Any] = {
        "id": letter_id(source, record.partition, record.offset),
        "ms": max(record.timestamp, 0),
        "source": source,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "job_id": letter.job_id,
        "task": letter.fact(Header.TASK),
        "reason": letter.fact(Header.REASON),
        "origin_topic": letter.fact(Header.ORIGIN_TOPIC),
        "exception_type": letter.fact(Header.EXCEPTION_TYPE),
        "exception_message": letter.fact(Header.EXCEPTION_MESSAGE),
        "release": letter.fact(Header.RELEASE),
    }
    return facts | {name: _number(letter.fact(header)) for name, header in _NUMBERS.items()}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
