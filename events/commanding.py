"""Commands as records: what a client writes to ask the owner of a partition for something."""

from typing import Any

import orjson

from events.sender import Record
from events.topics import JOBS, commands_topic, jobs_source
from schemas.command import COMMAND_HEADER, COMMAND_ID_HEADER, Command
from schemas.state import COMMAND_PREFIX


def command_record(
    command: Command, body: dict[str, Any], *, app_id: str, source: str, partition: int, command_id: str
) -> Record:
    """The record that asks for a command. `body` names the job (`job_id`) or the `schedule`."""
    about = body.get("job_id") or body.get("schedule") or ""
    return Record(
        topic=commands_topic(app_id, source),
        key=str(about).encode(),
        value=orjson.dumps(body),
        headers=[(COMMAND_HEADER, command.encode()), (COMMAND_ID_HEADER, command_id.encode())],
        partition=partition,
    )


def answer_key(command_id: str) -> str:
    """Where in the ledger the answer to a command appears."""
    return COMMAND_PREFIX.decode() + command_id


def source_of_topic(app_id: str, topic: str) -> str:
    """The source an input topic belongs to."""
    return JOBS if topic in jobs_source(app_id).topics else topic
