"""Commands to the owner of a partition. For now one: redrive a dead letter.

The command carries the letter whole, so its owner needs nothing but this record. A redrive is idempotent: it
runs the job only while the job's newest record is the one the letter came from.
"""

import structlog

from consumers.engine.reader import Read, Reader
from schemas.command import COMMAND_HEADER, Command
from schemas.deadletter import DeadLetterHeader, without_own_headers
from schemas.state import Position, RawRecord

log = structlog.get_logger()


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
        except (KeyError, ValueError) as error:
            log.warning("command_refused", position=position, error=f"not a dead letter: {error!r}")
            return []
        timestamp_ms = int(headers.get(DeadLetterHeader.ORIGIN_TIMESTAMP, raw.timestamp_ms))
        original = RawRecord(raw.key, raw.value, without_own_headers(tuple(raw.headers)), timestamp_ms)
        reads = self._reader.read(original, origin)
        job_id = headers.get(DeadLetterHeader.JOB_ID)
        if not job_id:
            return reads
        return [_redrive(read, headers) for read in reads if read.job.id == job_id]


def _origin(headers: dict[str, str]) -> Position:
    return Position(
        headers[DeadLetterHeader.ORIGIN_TOPIC],
        int(headers[DeadLetterHeader.ORIGIN_PARTITION]),
        int(headers[DeadLetterHeader.ORIGIN_OFFSET]),
    )


def _redrive(read: Read, headers: dict[str, str]) -> Read:
    job = read.job
    job.redrives = int(headers.get(DeadLetterHeader.REVISION, "0"))
    job.deadline_ms = None  # whoever redrives an expired job wants it to run
    return read
