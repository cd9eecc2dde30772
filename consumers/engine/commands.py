"""Commands to the owner of a partition. For now one: redrive a dead letter.

The command carries the letter whole, so its owner needs nothing but this record. A redrive is idempotent: it
runs the job only while the job's newest record is the one the letter came from.
"""

from typing import Final

import structlog

from consumers.engine.reader import Read, Reader
from schemas.command import COMMAND_HEADER, Command
from schemas.deadletter import DeadLetterHeader, without_own_headers
from schemas.state import Position, RawRecord

log = structlog.get_logger()
_TOO_LARGE: Final = 1 << 63


class CommandReader:
    """Reads the commands topic of one source into jobs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, raw: RawRecord, position: Position) -> list[Read]:
        """The jobs a command starts; empty when it is none of ours or makes no sense."""
        headers = {name: (content or b"").decode(errors="replace") for name, content in raw.headers}
        if headers.get(COMMAND_HEADER) != Command.REDRIVE:
            log.warning("command_refused", position=position, command=headers.get(COMMAND_HEADER))
            return []
        try:
            origin = _origin(headers)
            timestamp_ms = _number(headers.get(DeadLetterHeader.ORIGIN_TIMESTAMP, "0"), at_least=-1)
            revision = _number(headers.get(DeadLetterHeader.REVISION, "0"))
        except (KeyError, ValueError) as error:
            log.warning("command_refused", position=position, error=f"not a dead letter: {error!r}")
            return []
        original = RawRecord(raw.key, raw.value, without_own_headers(tuple(raw.headers)), timestamp_ms)
        reads = self._reader.read(original, origin)
        job_id = headers.get(DeadLetterHeader.JOB_ID)
        if not job_id:
            return reads
        return [_redrive(read, revision) for read in reads if read.job.id == job_id]


def _origin(headers: dict[str, str]) -> Position:
    return Position(
        headers[DeadLetterHeader.ORIGIN_TOPIC],
        _number(headers[DeadLetterHeader.ORIGIN_PARTITION]),
        _number(headers[DeadLetterHeader.ORIGIN_OFFSET]),
    )


def _number(text: str, *, at_least: int = 0) -> int:
    """Raises ValueError for text that is no number Kafka or a state record could hold."""
    number = int(text)
    if not at_least <= number < _TOO_LARGE:
        raise ValueError(f"{number} is out of bounds")
    return number


def _redrive(read: Read, revision: int) -> Read:
    job = read.job
    job.redrives = revision
    job.deadline_ms = None  # whoever redrives an expired job wants it to run
    return read
