"""Dead letters read back, and the command that sends one again.

A redrive goes to the owner of the letter's partition: the letter whole, as it is, in the commands topic of
its source under the same partition number.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from events.log_reader import LogReader, LogRecord
from events.sender import Record
from events.topics import commands_topic, dlq_topic
from schemas.command import COMMAND_HEADER, COMMAND_ID_HEADER, Command
from schemas.deadletter import PREFIX, DeadLetterHeader, without_own_headers
from schemas.state import Headers, Position

_NUMBERS = frozenset(
    {
        DeadLetterHeader.ATTEMPTS,
        DeadLetterHeader.ORIGIN_PARTITION,
        DeadLetterHeader.ORIGIN_OFFSET,
        DeadLetterHeader.ORIGIN_TIMESTAMP,
        DeadLetterHeader.FIRST_FAILED_AT,
        DeadLetterHeader.LAST_FAILED_AT,
        DeadLetterHeader.REVISION,
    }
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One letter. `facts` are its `headrace-*` headers by their names."""

    source: str
    position: Position
    key: bytes | None
    value: bytes | None
    headers: Headers
    facts: dict[str, str]

    def fact(self, header: DeadLetterHeader) -> str:
        """What a header says, empty where it is missing."""
        return self.facts.get(header, "")

    @property
    def job_id(self) -> str:
        return self.fact(DeadLetterHeader.JOB_ID)

    @property
    def original_headers(self) -> Headers:
        return without_own_headers(tuple(self.headers))

    def as_json(self) -> dict[str, Any]:
        """What happened, without the payload; names and values as in the headers, numbers as numbers."""
        facts = {
            name.removeprefix(PREFIX).replace("-", "_"): _read(name, text)
            for name, text in self.facts.items()
        }
        return {"source": self.source, **self.position._asdict(), **facts}


def _read(name: str, text: str) -> str | int:
    return int(text) if name in _NUMBERS and text.isascii() and text.isdigit() else text


def letter_of(record: LogRecord, source: str) -> DeadLetter:
    """The letter in a record of a dead-letter topic, whatever its headers look like."""
    place = Position(record.topic, record.partition, record.offset)
    facts = letter_facts(record.headers)
    return DeadLetter(source, place, record.key, record.value, tuple(record.headers), facts)


def letter_facts(headers: Headers) -> dict[str, str]:
    """What the headers of a letter say of it, by their names."""
    return {
        name: (content or b"").decode(errors="replace")
        for name, content in headers
        if name.startswith(PREFIX)
    }


async def letters_of(reader: LogReader, app_id: str, source: str) -> AsyncIterator[DeadLetter]:
    """Every letter of a source."""
    async for record in reader.read([dlq_topic(app_id, source)]):
        yield letter_of(record, source)


def redrive_record(letter: DeadLetter, *, app_id: str, command_id: str) -> Record:
    """The command that asks the owner of the letter's partition to run its job again."""
    return Record(
        topic=commands_topic(app_id, letter.source),
        key=letter.key,
        value=letter.value,
        headers=[
            *letter.headers,
            (COMMAND_HEADER, Command.REDRIVE.encode()),
            (COMMAND_ID_HEADER, command_id.encode()),
        ],
        partition=letter.position.partition,
    )
