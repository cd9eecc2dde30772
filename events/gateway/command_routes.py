"""Routes that ask the owner of a job or schedule for something, and say what really happened."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Body, Depends, Header, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from events.commanding import command_record
from events.dead_letters import letter_of, redrive_record
from events.errors import BrokerDown, BrokerUnreachable, PublishError
from events.gateway.access import needs
from events.gateway.intake import refused, unavailable
from events.gateway.job_routes import MOST_KEY_CHARACTERS
from events.gateway.keys import Caller, Scope
from events.gateway.parts import Located, Parts, parts_of
from events.gateway.problems import EVERYWHERE, ErrorPlace, documented, problem
from events.gateway.submission import Seconds, invalid
from events.log_reader import LogReader
from events.sender import Record
from events.status.letters import letter_place
from events.topics import JOBS, dlq_topic, jobs_topic
from schemas.command import Answer, Command
from schemas.job import NAMESPACE
from schemas.schedule import schedule_partition

router = APIRouter(tags=["commands"])

_REFUSALS: Final = {
    Answer.ALREADY_FINISHED: ("already-finished", "It has already ended."),
    Answer.NOT_PARKED: ("not-parked", "It does not wait for a time."),
    Answer.NOT_FAILED: ("not-failed", "It did not end badly, or something newer happened to it."),
    Answer.UNKNOWN_JOB: ("unknown-job", "Its owner does not know the job."),
    Answer.UNKNOWN_SCHEDULE: ("unknown-schedule", "Its owner does not know the schedule."),
    Answer.REFUSED: ("command-refused", "The owner refused."),
}


class CancelRequest(BaseModel):
    """Why a job is cancelled; kept with it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: str = Field(default="", max_length=1_000)


class RescheduleRequest(BaseModel):
    """When a waiting job shall run: at a time, or so many seconds from now. One of both."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run_at: AwareDatetime | None = None
    defer_by: Seconds | None = None


class CommandResult(BaseModel):
    """What became of a command. Without `answer` its owner has not answered yet; it may still be done.

    `cancelling`: the job runs and was told to end; it will be reported as cancelled.
    """

    command_id: str
    command: Command
    answer: Answer | None = None
    job_id: str | None = None
    schedule: str | None = None
    job_state: str | None = None
    due_ms: int | None = None
    at_ms: int | None = None


_SLUGS: Final = (
    *EVERYWHERE, "not-json", "too-large", "command-refused", "kafka-unavailable", "kafka-refused",
    "not-ready",
)  # fmt: skip


def _responses(*slugs: str) -> dict[int | str, dict[str, Any]]:
    later: dict[int | str, dict[str, Any]] = {
        202: {"model": CommandResult, "description": "Asked, and not answered in time; it may still be done."}
    }
    return later | documented(*_SLUGS, *slugs)


Operator = Annotated[Caller, Depends(needs(Scope.OPERATE))]
JobId = Annotated[str, Path(min_length=1, max_length=128)]
Name = Annotated[str, Path(min_length=1, max_length=200)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MOST_KEY_CHARACTERS,
        pattern="^[ -~]*$",
        description="The same key again gets the answer of the first time, for an hour.",
    ),
]
Answered = CommandResult | Response


@router.post("/jobs/{job_id:path}/cancel", operation_id="cancel_job", summary="Cancel a job",
             response_model=CommandResult, response_model_exclude_none=True,
             responses=_responses("unknown-job", "already-finished"))  # fmt: skip
async def cancel(
    request: Request, caller: Operator, job_id: JobId, key: Key = None, body: CancelRequest | None = None
) -> Answered:
    """A waiting job is cancelled at once, a running one told to end. One that has ended says so: 409."""
    parts = parts_of(request)
    found = await _find(parts, job_id)
    return await _ask_job(
        parts, Command.CANCEL, job_id, found, caller, key, reason=body.reason if body else ""
    )


@router.post("/jobs/{job_id:path}/retry", operation_id="retry_job", summary="Run a failed job again",
             response_model=CommandResult, response_model_exclude_none=True,
             responses=_responses("unknown-job", "not-failed"))  # fmt: skip
async def retry(request: Request, caller: Operator, job_id: JobId, key: Key = None) -> Answered:
    """Its history stays with it. A job that waits for its next try runs now."""
    parts = parts_of(request)
    return await _ask_job(parts, Command.RETRY, job_id, await _find(parts, job_id), caller, key)


@router.post("/jobs/{job_id:path}/reschedule", operation_id="reschedule_job", summary="Move a waiting job",
             response_model=CommandResult, response_model_exclude_none=True,
             responses=_responses("unknown-job", "not-parked", "already-finished"))  # fmt: skip
async def reschedule(
    request: Request,
    caller: Operator,
    job_id: JobId,
    body: Annotated[RescheduleRequest, Body()],
    key: Key = None,
) -> Answered:
    """Only a job that waits for its time can be moved to another."""
    parts = parts_of(request)
    if (body.run_at is None) == (body.defer_by is None):
        raise invalid(ErrorPlace(pointer="", detail="give run_at or defer_by, one of both"))
    if body.run_at is not None:
        due_ms = max(0, round(body.run_at.timestamp() * 1000))
    else:
        due_ms = parts.now_ms() + round((body.defer_by or 0) * 1000)
    found = await _find(parts, job_id)
    return await _ask_job(parts, Command.RESCHEDULE, job_id, found, caller, key, due_ms=due_ms)


@router.post("/dead-letters/{letter_id:path}/redrive", operation_id="redrive", summary="Send a letter again",
             response_model=CommandResult, response_model_exclude_none=True,
             responses=_responses("unknown-dead-letter", "not-failed", "unknown-job"))  # fmt: skip
async def redrive(
    request: Request,
    caller: Operator,
    letter_id: Annotated[str, Path(min_length=1, max_length=300, description="source:partition:offset")],
    key: Key = None,
) -> Answered:
    """Run the job of a letter again. The letter stays; asked twice, the job still runs once."""
    parts = parts_of(request)
    place = letter_place(letter_id)
    unknown = problem("unknown-dead-letter", f"There is no letter {letter_id!r:.320}.")
    if place is None or place[1] >= 1 << 31 or place[2] >= 1 << 63:
        raise unknown
    source, partition, offset = place
    topic = dlq_topic(parts.settings.app_id, source)
    try:
        timeout_seconds = parts.settings.gateway_kafka_timeout_seconds
        async with LogReader(parts.settings, timeout_seconds=timeout_seconds) as reader:
            record = await reader.record_at(topic, partition, offset)
    except (BrokerDown, BrokerUnreachable) as error:
        raise unavailable("Kafka did not give the letter back in time.") from error
    if record is None:
        raise unknown
    letter = letter_of(record, source)
    command_id = _command_id(caller, key, "redrive", letter_id)
    wanted = redrive_record(letter, app_id=parts.settings.app_id, command_id=command_id)
    return await _ask(parts, Command.REDRIVE, wanted, command_id, {"job_id": letter.job_id or None})


async def ask_schedule(
    request: Request, caller: Caller, command: Command, name: str, key: str | None
) -> Answered:
    """Ask the owner of a schedule for one of its commands."""
    parts = parts_of(request)
    command_id = _command_id(caller, key, command.value, name)
    wanted = command_record(
        command,
        {"schedule": name, "asked_ms": parts.now_ms()},
        app_id=parts.settings.app_id,
        source=JOBS,
        partition=schedule_partition(name, _jobs_partitions(parts)),
        command_id=command_id,
    )
    return await _ask(parts, command, wanted, command_id, {"schedule": name})


def _schedule_route(command: Command, verb: str, summary: str, says: str) -> None:
    async def ask(request: Request, caller: Operator, name: Name, key: Key = None) -> Answered:
        return await ask_schedule(request, caller, command, name, key)

    router.add_api_route(
        f"/schedules/{{name:path}}/{verb}",
        ask,
        methods=["POST"],
        operation_id=f"{verb}_schedule",
        summary=summary,
        description=says,
        response_model=CommandResult,
        response_model_exclude_none=True,
        responses=_responses("unknown-schedule"),
        tags=["schedules"],
    )


_schedule_route(Command.PAUSE_SCHEDULE, "pause", "Pause a schedule", "It fires no more until it is resumed.")
_schedule_route(
    Command.RESUME_SCHEDULE, "resume", "Resume a schedule", "Its next run is the next there is from now on."
)
_schedule_route(Command.RUN_SCHEDULE, "run", "Run a schedule now", "One job at once, besides its times.")


async def _find(parts: Parts, job_id: str) -> Located:
    if parts.status is None:
        raise problem("not-ready", "This gateway keeps no status of jobs.", retry_after=60)
    found = await parts.status.locate(job_id)
    if found is None:
        raise problem("unknown-job", f"There is no job {job_id!r:.140}.")
    return found


async def _ask_job(
    parts: Parts, command: Command, job_id: str, found: Located, caller: Caller, key: str | None, **more: Any
) -> Answered:
    command_id = _command_id(caller, key, command.value, job_id)
    at = None if found.at is None else list(found.at)
    wanted = command_record(
        command,
        {"job_id": job_id, "task": found.task, "at": at, **more},
        app_id=parts.settings.app_id,
        source=found.source,
        partition=found.partition,
        command_id=command_id,
    )
    return await _ask(parts, command, wanted, command_id, {"job_id": job_id})


async def _ask(
    parts: Parts, command: Command, wanted: Record, command_id: str, about: Mapping[str, str | None]
) -> Answered:
    """Send a command and wait a while for its answer."""
    if parts.status is None:
        raise problem("not-ready", "This gateway keeps no status of jobs.", retry_after=60)
    if not parts.sender.is_connected:
        raise unavailable("The gateway has no connection to Kafka.")
    try:
        await parts.sender.send(wanted)
    except PublishError as error:
        raise refused(error, parts.settings, command_id=command_id) from error
    document = await parts.status.answer(command_id, parts.settings.gateway_answer_seconds)
    answer = Answer(document["answer"]) if document is not None else None
    parts.metrics.commands.labels(command.value, answer.value if answer else "none").inc()
    result = CommandResult(command_id=command_id, command=command, answer=answer, **about)
    if document is None:
        content = result.model_dump(mode="json", exclude_none=True)
        return Response(orjson.dumps(content), 202, media_type="application/json")
    if answer in _REFUSALS:
        slug, says = _REFUSALS[answer]
        more = {name: document[name] for name in ("job_state", "why") if document.get(name) is not None}
        raise problem(slug, document.get("why") or says, command_id=command_id, **more)
    told = {name: document.get(name) for name in ("job_state", "due_ms", "at_ms")}
    if document.get("job_id"):
        told["job_id"] = document["job_id"]
    return result.model_copy(update=told)


def _command_id(caller: Caller, key: str | None, route: str, about: str) -> str:
    """Equal for repeats under one Idempotency-Key: the owner then answers as it did."""
    if key is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(NAMESPACE, orjson.dumps(["command", caller.id, route, about, key]).decode()))


def _jobs_partitions(parts: Parts) -> int:
    topic = jobs_topic(parts.settings.app_id)
    count = sum(1 for place in parts.jobs_tail.positions if place.topic == topic)
    if not count:
        raise problem("not-ready", "The topics of jobs are not there yet, or not read.", retry_after=1)
    return count
