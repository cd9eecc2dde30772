"""A request for a job as HTTP callers write it, and the record it becomes. Nothing here waits or sends."""

import datetime as dt
import hashlib
import uuid
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
import pydantic_core
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from events import codec
from events.gateway.announced import Announced
from events.gateway.ids import new_id
from events.gateway.problems import ErrorPlace, Problem, pointer, problem
from events.gateway.seen import BODY_HEADER
from events.queue_options import EnqueueOptions, Priority
from events.requests import plain_request, request_event
from events.sender import Record
from schemas.job import MAX_JOB_ID_CHARACTERS, MAX_TASK_CHARACTERS, NAMESPACE

_CENTURY_SECONDS: Final = 100 * 366 * 86_400
_MOST_ERRORS: Final = 20
_PLAIN: Final = frozenset({"task", "args"})
_NO_ARGS: Final[dict[str, Any]] = {}

AcceptedState = Literal["pending", "scheduled"]
Seconds = Annotated[float, Field(ge=0, le=_CENTURY_SECONDS)]


class SubmissionOptions(BaseModel):
    """How and when the job runs. Times are RFC 3339 with a zone, durations seconds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    defer_by: Seconds | None = None
    run_at: AwareDatetime | None = None
    priority: Literal["high", "normal", "low"] | None = None
    job_id: str | None = Field(default=None, min_length=1, max_length=MAX_JOB_ID_CHARACTERS)
    idempotency_key: JsonValue = None
    deadline: Seconds | AwareDatetime | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    unique: bool = False


class JobSubmission(BaseModel):
    """One job to run: `task` with `args`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    task: str = Field(min_length=1, max_length=MAX_TASK_CHARACTERS)
    args: dict[str, Any] = Field(default_factory=dict)
    options: SubmissionOptions = Field(default_factory=SubmissionOptions)


class PlainSubmission(NamedTuple):
    """A request without options, as most are, told apart without the cost of a model."""

    task: str
    args: dict[str, Any]


class Accepted(BaseModel):
    """A job that Kafka has."""

    job_id: str
    status_url: str
    state: AcceptedState


class Prepared:
    """A checked request: the record to send and what its caller is told."""

    __slots__ = ("body", "job_id", "priority", "record", "state", "task")

    def __init__(
        self, record: Record, job_id: str, task: str, priority: Priority, state: AcceptedState, body: str
    ) -> None:
        self.record = record
        self.job_id = job_id
        self.task = task
        self.priority = priority
        self.state = state
        self.body = body  # SHA-256 of what was asked; empty without an Idempotency-Key


class Identity:
    """The job an Idempotency-Key stands for: uuid5 of caller, route and key."""

    __slots__ = ("job_id",)

    def __init__(self, caller: str, route: str, *key: str | int) -> None:
        self.job_id = str(uuid.uuid5(NAMESPACE, orjson.dumps([caller, route, *key]).decode()))


def plain_submission(item: Any) -> PlainSubmission | None:
    """The parsed request if it is nothing but a task and arguments; None where a closer look is due."""
    if type(item) is not dict or not _PLAIN.issuperset(item):
        return None
    task, args = item.get("task"), item.get("args", _NO_ARGS)
    if type(task) is not str or not 0 < len(task) <= MAX_TASK_CHARACTERS or type(args) is not dict:
        return None
    return PlainSubmission(task, args)


def read_plain(body: bytes) -> PlainSubmission | None:
    """The same from a body; None for what is no JSON either."""
    try:
        return plain_submission(pydantic_core.from_json(body, allow_inf_nan=False))
    except ValueError:
        return None


def read_submission(body: bytes) -> JobSubmission:
    """The request in a body. Raises a problem with a pointer to each wrong place."""
    try:
        return JobSubmission.model_validate_json(body)
    except ValidationError as error:
        raise unfit(error, body) from None


def unfit(error: ValidationError, body: bytes, *, at: tuple[str | int, ...] = ()) -> Problem:
    """What is wrong with a body that pydantic refused."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        return problem("not-json", f"The body is not JSON: {wrong}.")
    places = []
    for each in error.errors(include_url=False, include_input=False, include_context=False)[:_MOST_ERRORS]:
        if each["type"] == "json_invalid":
            return problem("not-json", f"The body is not JSON: {each['msg']}.")
        path = _path(each["loc"], document, missing=each["type"] == "missing")
        places.append(ErrorPlace(pointer=pointer(*at, *path), detail=each["msg"]))
    return invalid(*places)


def invalid(*places: ErrorPlace) -> Problem:
    """A request that does not fit, with its wrong places."""
    first = places[0]
    where = first.pointer or first.parameter or first.header or "the body"
    return problem(
        "invalid-request",
        f"{where}: {first.detail}",
        errors=[place.model_dump(exclude_none=True) for place in places],
    )


def _path(loc: tuple[str | int, ...], document: Any, *, missing: bool) -> list[str | int]:
    """pydantic's place of an error without the names it gives to branches of a union."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        known = (isinstance(document, dict) and part in document) or (
            isinstance(document, list) and isinstance(part, int) and part < len(document)
        )
        if known:
            document = document[part]
            path.append(part)
        elif missing and index == len(loc) - 1:
            path.append(part)
        else:
            break
    return path


def prepare(
    submission: JobSubmission | PlainSubmission,
    announced: Announced,
    *,
    app_id: str,
    now_ms: int,
    identity: Identity | None = None,
) -> Prepared:
    """The record of a request whose task is known and whose arguments fit. Raises a problem otherwise.

    A plain submission has no identity.
    """
    task = announced.task(submission.task)
    task.check(submission.args)
    if isinstance(submission, PlainSubmission):
        return _plain(task.name, submission.args, task.priority, app_id)
    given = submission.options
    body = ""
    if identity is not None:
        if given.job_id is not None or given.idempotency_key is not None:
            name = "job_id" if given.job_id is not None else "idempotency_key"
            detail = "excludes the header Idempotency-Key: both name the job"
            raise invalid(ErrorPlace(pointer=f"/options/{name}", detail=detail))
        body = fingerprint(submission)
    if identity is None and not given.model_fields_set:
        return _plain(task.name, submission.args, task.priority, app_id)
    try:
        options = EnqueueOptions(
            defer_by=given.defer_by,
            run_at=given.run_at,
            priority=given.priority or task.priority,
            job_id=given.job_id if identity is None else identity.job_id,
            idempotency_key=given.idempotency_key,
            deadline=given.deadline,
            headers=given.headers,
            unique=given.unique,
        )
        topic, key, event = request_event(app_id, task.name, submission.args, options, now_ms=now_ms)
    except ValueError as error:
        raise invalid(ErrorPlace(pointer="/options", detail=_reason(error))) from None
    value, headers = codec.encode(event)
    if body:
        headers.append((BODY_HEADER, body.encode()))
    waits = given.defer_by is not None or (
        given.run_at is not None and given.run_at > dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)
    )
    state: AcceptedState = "scheduled" if waits else "pending"
    priority = options.priority or "normal"
    return Prepared(Record(topic, key, value, headers), event.id, task.name, priority, state, body)


def _plain(task: str, args: dict[str, Any], priority: Priority, app_id: str) -> Prepared:
    """A request without options, as most are."""
    job_id = new_id()
    try:
        topic, key, value, headers = plain_request(app_id, task, args, job_id=job_id, priority=priority)
    except ValueError as error:
        raise invalid(ErrorPlace(pointer="/args", detail=str(error))) from None
    return Prepared(Record(topic, key, value, headers), job_id, task, priority, "pending", "")


def fingerprint(submission: JobSubmission) -> str:
    """Equal for equal requests, however their JSON was written. Raises a problem for too large integers."""
    document = submission.model_dump(mode="json")
    try:
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError as error:
        raise invalid(ErrorPlace(pointer="", detail=f"cannot be written as JSON: {error}")) from None


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
