"""`POST /jobs` and `POST /jobs/bulk`."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from events.gateway.access import Access
from events.gateway.bulk_items import read_items, submission_of
from events.gateway.intake import RETRY_SECONDS, Intake, Taken
from events.gateway.keys import Scope
from events.gateway.parts import Parts, parts_of
from events.gateway.problems import EVERYWHERE, ErrorPlace, Problem, ProblemDocument, documented, problem
from events.gateway.submission import (
    Identity,
    Prepared,
    invalid,
    plain_submission,
    prepare,
    read_plain,
    read_submission,
)

router = APIRouter(tags=["jobs"])

MOST_KEY_CHARACTERS: Final = 255
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")

_KEY_HEADER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY_CHARACTERS, "pattern": "^[ -~]*$"},
    "description": "The same key and body again is the same job; with another body it is refused.",
}
_TAKING: Final = (
    *EVERYWHERE, "not-json", "unknown-task", "too-large", "unsupported-media-type", "invalid-arguments",
    "idempotency-key-reused", "too-deep", "kafka-unavailable", "kafka-refused", "not-ready",
)  # fmt: skip


class BulkResult(BaseModel):
    """What became of one item."""

    index: int
    status: int
    job_id: str | None = None
    status_url: str | None = None
    state: str | None = None
    problem: ProblemDocument | None = None


class BulkResults(BaseModel):
    """One result for each item, in their order."""

    accepted: int
    refused: int
    results: list[BulkResult]


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": [_KEY_HEADER], "requestBody": {"required": True, "content": content}}


# The body is read by hand: FastAPI would parse it twice and validate the answer too.
@router.post(
    "/jobs",
    status_code=202,
    operation_id="enqueue",
    summary="Ask for a job",
    response_class=Response,
    responses={
        202: {
            "description": "Kafka has the job.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
            "headers": {
                "Location": {"schema": {"type": "string"}, "description": "Where its status is."},
                "Retry-After": {
                    "schema": {"type": "integer"},
                    "description": "Seconds until a look is worth it.",
                },
            },
        },
        **documented(*_TAKING),
    },
    openapi_extra=_body({"application/json": {"schema": {"$ref": "#/components/schemas/JobSubmission"}}}),
)
async def enqueue(request: Request) -> Response:
    """Run a task. Answers when Kafka has the job on enough disks; a worker takes it from there."""
    parts = parts_of(request)
    access: Access = request.app.state.access
    caller = access.check(request, Scope.SUBMIT)
    check_media_type(request, "application/json")
    key = key_of(request)
    body = await request.body()
    submission = (read_plain(body) if key is None else None) or read_submission(body)
    await known(parts)
    try:
        identity = None if key is None else Identity(caller.id, "POST /jobs", key)
        job = prepare(
            submission,
            parts.announced,
            app_id=parts.settings.app_id,
            now_ms=parts.now_ms(),
            identity=identity,
        )
        taken = await parts.intake.take(job)
    except Problem as wrong:
        parts.metrics.job(_label(parts, submission.task), wrong.slug)
        raise
    parts.metrics.job(job.task, "accepted")
    headers = {"Location": taken.status_url, "Retry-After": "1"}
    return Response(orjson.dumps(taken._asdict()), 202, headers, "application/json")


@router.post(
    "/jobs/bulk",
    operation_id="enqueue_bulk",
    summary="Ask for many jobs at once",
    response_class=Response,
    responses={
        200: {
            "description": "One result for each item, in their order; some may have been refused.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BulkResults"}}},
        },
        **documented(*(slug for slug in _TAKING if slug not in ("unknown-task", "too-deep"))),
    },
    openapi_extra=_body(
        {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/JobSubmission"}}
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One JobSubmission a line.", "minLength": 2},
                "example": '{"task":"send_email","args":{"to":"a@b.example"}}\n',
            },
        }
    ),
)
async def enqueue_bulk(request: Request) -> Response:
    """Run many tasks. Items are taken or refused one by one; with an Idempotency-Key each item is one of its
    own, named by the key and its place."""
    parts = parts_of(request)
    access: Access = request.app.state.access
    caller = access.check(request, Scope.SUBMIT)
    media_type = check_media_type(request, "application/json", *NDJSON)
    key = key_of(request)
    items = read_items(await request.body(), lines=media_type in NDJSON)
    limit = parts.settings.gateway_max_bulk_items
    if len(items) > limit:
        raise problem("too-large", f"At most {limit} items are taken at once.", limit_items=limit)
    await known(parts)
    now_ms = parts.now_ms()
    jobs: list[Prepared | Problem] = []
    for index, item in enumerate(items):
        identity = None if key is None else Identity(caller.id, "POST /jobs/bulk", key, index)
        try:
            submission = (plain_submission(item) if identity is None else None) or submission_of(item)
            jobs.append(
                prepare(
                    submission,
                    parts.announced,
                    app_id=parts.settings.app_id,
                    now_ms=now_ms,
                    identity=identity,
                )
            )
        except Problem as wrong:
            jobs.append(wrong)
    return await _take_all(parts, parts.intake, jobs)


async def _take_all(parts: Parts, intake: Intake, jobs: list[Prepared | Problem]) -> Response:
    taken = await intake.take_all(jobs)
    counts: dict[tuple[str, str], int] = {}
    results: list[dict[str, Any]] = []
    for index, (job, result) in enumerate(zip(jobs, taken, strict=True)):
        task = job.task if isinstance(job, Prepared) else "none"
        if isinstance(result, Taken):
            job_id, url, state = result
            told = {"index": index, "status": 202, "job_id": job_id, "status_url": url, "state": state}
            results.append(told)
            outcome = "accepted"
        else:
            results.append({"index": index, "status": result.status, "problem": result.document()})
            outcome = result.slug
        counts[task, outcome] = counts.get((task, outcome), 0) + 1
    for (task, outcome), count in counts.items():
        parts.metrics.job(task, outcome, count)
    accepted = sum(count for (_, outcome), count in counts.items() if outcome == "accepted")
    content = {"accepted": accepted, "refused": len(results) - accepted, "results": results}
    return Response(orjson.dumps(content, default=str), 200, media_type="application/json")


def check_media_type(request: Request, *expected: str) -> str:
    """The content type of the body. Raises a problem for any other; a page's form cannot send these."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in expected:
        raise problem(
            "unsupported-media-type", f"Send the body as {' or '.join(expected)}.", expected=list(expected)
        )
    return given


def key_of(request: Request) -> str | None:
    """The Idempotency-Key of a request. Raises a problem for one that cannot be used."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MOST_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        detail = f"1 to {MOST_KEY_CHARACTERS} printable ASCII characters"
        raise invalid(ErrorPlace(header="Idempotency-Key", detail=detail))
    return key


async def known(parts: Parts) -> None:
    """Raise a problem until everything workers had announced is read."""
    if not parts.registry_tail.ready.is_set():
        if not parts.sender.is_connected:
            raise problem(
                "kafka-unavailable", "The gateway has no connection to Kafka.", retry_after=RETRY_SECONDS
            )
        raise problem("not-ready", "It is still reading what workers announced.", retry_after=1)


def _label(parts: Parts, task: str) -> str:
    return task if task in parts.announced.tasks else "none"
