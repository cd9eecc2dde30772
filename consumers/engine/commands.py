"""Commands to the owner of a partition, as they are in the log. What they come to: `desk.py`.

A redrive carries its letter whole, so the owner needs nothing but this record. It is idempotent by itself:
the job runs only while its newest record is the one the letter came from.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog

from consumers.engine.asked import Asked, answer_key
from consumers.engine.job import Job
from consumers.engine.reader import Read, Reader
from schemas.cloudevent import CloudEvent
from schemas.command import COMMAND_HEADER, COMMAND_ID_HEADER, MAX_COMMAND_ID_CHARACTERS, Command
from schemas.deadletter import DeadLetterHeader, without_own_headers
from schemas.state import Position, RawRecord

log = structlog.get_logger()
_TOO_LARGE: Final = 1 << 63
_SCHEDULES: Final = (Command.PAUSE_SCHEDULE, Command.RESUME_SCHEDULE, Command.RUN_SCHEDULE)


class CommandReader:
    """Reads the commands topic of one source."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, raw: RawRecord, position: Position) -> list[Read]:
        """The command as a job of no task, then the jobs its letter starts; empty for what is no command."""
        headers = {name: (content or b"").decode(errors="replace") for name, content in raw.headers}
        id = headers.get(COMMAND_ID_HEADER, "")
        try:
            asked = self._asked(
                raw, headers, id or f"{position.topic}-{position.partition}-{position.offset}"
            )
        except (KeyError, ValueError) as error:
            why = str(error) if type(error) is ValueError else repr(error)
            log.warning("command_refused", position=position, command=headers.get(COMMAND_HEADER), error=why)
            if not id or len(id) > MAX_COMMAND_ID_CHARACTERS:
                return []
            asked = Asked(None, id, _text(raw.key), why_not=why)
        return [Read(_carrier(asked, raw, position)), *asked.reads]

    def _asked(self, raw: RawRecord, headers: Mapping[str, str], id: str) -> Asked:
        if len(id) > MAX_COMMAND_ID_CHARACTERS:
            raise ValueError(f"a command id has {MAX_COMMAND_ID_CHARACTERS} characters at most")
        command = Command(headers.get(COMMAND_HEADER, ""))
        if command is Command.REDRIVE:
            return self._redrive(raw, headers, id)
        body = orjson.loads(raw.value or b"")
        if not isinstance(body, dict):
            raise ValueError(f"the value of {command.value} is a JSON object")
        name = "schedule" if command in _SCHEDULES else "job_id"
        about = body.get(name)
        if not isinstance(about, str) or not about:
            raise ValueError(f"the value of {command.value} names its {name}")
        return Asked(command, id, about, body)

    def _redrive(self, raw: RawRecord, headers: Mapping[str, str], id: str) -> Asked:
        try:
            origin = Position(
                headers[DeadLetterHeader.ORIGIN_TOPIC],
                _number(headers[DeadLetterHeader.ORIGIN_PARTITION]),
                _number(headers[DeadLetterHeader.ORIGIN_OFFSET], at_least=-1),
            )
            timestamp_ms = _number(headers.get(DeadLetterHeader.ORIGIN_TIMESTAMP, "0"), at_least=-1)
            revision = _number(headers.get(DeadLetterHeader.REVISION, "0"))
        except (KeyError, ValueError) as error:
            raise ValueError(f"not a dead letter: {error!r}") from None
        original = RawRecord(raw.key, raw.value, without_own_headers(tuple(raw.headers)), timestamp_ms)
        reads = self._reader.read(original, origin)
        job_id = headers.get(DeadLetterHeader.JOB_ID, "")
        if job_id:
            reads = [_redriven(read, revision) for read in reads if read.job.id == job_id]
        return Asked(Command.REDRIVE, id, job_id, reads=reads)


def _carrier(asked: Asked, raw: RawRecord, position: Position) -> Job:
    """What holds the command's offset and is settled with its answer."""
    job = Job(
        id=answer_key(asked.id),
        task=None,
        task_name="",
        event=CloudEvent(id="", source="", type=""),
        raw=raw,
        position=position,
        source="",
    )
    job.asked = asked
    return job


def _number(text: str, *, at_least: int = 0) -> int:
    """Raises ValueError for text that is no number Kafka or a state record could hold."""
    number = int(text)
    if not at_least <= number < _TOO_LARGE:
        raise ValueError(f"{number} is out of bounds")
    return number


def _redriven(read: Read, revision: int) -> Read:
    job = read.job
    job.redrives = revision
    job.deadline_ms = None  # whoever redrives an expired job wants it to run
    return read


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")[:MAX_COMMAND_ID_CHARACTERS]


def place_in(body: Mapping[str, Any]) -> Position | None:
    """Where a command says the request of its job is; None when it does not say."""
    at = body.get("at")
    if not isinstance(at, list) or len(at) != 3:
        return None
    topic, partition, offset = at
    if not isinstance(topic, str) or type(partition) is not int or type(offset) is not int:
        return None
    return Position(topic, partition, offset) if 0 <= offset < _TOO_LARGE else None
