"""Everything that can go wrong over HTTP, as RFC 9457 problems: one closed catalogue of stable types.

The type of a problem is `/problems/<slug>`, a page this gateway serves itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of problem. `explanation` is what its page tells somebody who met it."""

    slug: str
    status: int
    title: str
    explanation: str

    @property
    def type(self) -> str:
        return f"/problems/{self.slug}"


def _catalogue(*kinds: Kind) -> Mapping[str, Kind]:
    return {kind.slug: kind for kind in kinds}


CATALOGUE: Final = _catalogue(
    Kind("not-json", 400, "The body is not JSON",
         "The body could not be parsed. `detail` says where. Send UTF-8 JSON."),
    Kind("not-authenticated", 401, "An API key is needed",
         "Send `Authorization: Bearer <key>` with a key this gateway knows. "
         "`headrace gateway keys new` makes one."),
    Kind("not-allowed", 403, "The API key does not allow this",
         "The key is known, but lacks the scope named in `scope`: `read` looks at jobs, `submit` asks for "
         "jobs and publishes events, `operate` cancels, retries and moves them."),
    Kind("cross-site", 403, "A request from another site",
         "A browser sent this on behalf of another site, or a form without its token. "
         "Requests of programs carry no `Origin` of another host."),
    Kind("not-found", 404, "Nothing here", "No such path. `/openapi.json` lists every one."),
    Kind("unknown-task", 404, "No worker knows the task",
         "Workers announce their tasks when they start. `nearest` holds names that look alike. "
         "A task that was deployed a moment ago is known once its first worker is up."),
    Kind("unknown-job", 404, "No such job",
         "No topic knows the id: it was never enqueued, or ended so long ago that its record has expired."),
    Kind("unknown-dead-letter", 404, "No such dead letter",
         "No letter is at that place or of that job: never written, or older than the topic keeps."),
    Kind("unknown-schedule", 404, "No such schedule",
         "No worker announces a schedule of that name. `GET /schedules` lists those there are."),
    Kind("unknown-worker", 404, "No such worker", "No worker of that name sent a sign of life lately."),
    Kind("method-not-allowed", 405, "Not with this method",
         "The header `Allow` names the methods of the path."),
    Kind("already-finished", 409, "The job has already ended",
         "What was asked for needs an unfinished job. `job_state` says how it ended."),
    Kind("not-parked", 409, "The job does not wait for a time",
         "Only a job that waits for its time (delayed, scheduled or to be retried) can be moved to another."),
    Kind("not-failed", 409, "The job did not fail",
         "Only the newest failure of a job can be run again. `job_state` says what the job is now."),
    Kind("command-refused", 409, "The owner of the job refused",
         "The worker that owns the job answered no. `detail` says why."),
    Kind("too-large", 413, "The body is too large",
         "`limit_bytes` is what is taken. Store the data elsewhere and send where they are."),
    Kind("unsupported-media-type", 415, "This content type is not taken here",
         "`expected` lists the content types of the path."),
    Kind("invalid-request", 422, "The request does not fit",
         "`errors` lists each wrong place: `pointer` (RFC 6901) within the body, `parameter` in the query or "
         "path, or `header`."),
    Kind("invalid-arguments", 422, "The arguments do not fit the task",
         "`errors` lists each wrong place of the arguments by its `pointer` (RFC 6901) within the body. "
         "`GET /tasks` shows the JSON Schema the task announces."),
    Kind("invalid-event", 422, "Not a CloudEvent",
         "The request is no CloudEvent 1.0 in binary, structured or batched mode; `errors` says where."),
    Kind("unknown-topic", 422, "No topic for the event",
         "No task subscribes to the type, or tasks subscribe to it on several topics: name one with "
         "`?topic=`. Only topics tasks subscribe to and those of HEADRACE_GATEWAY_EVENT_TOPICS are taken."),
    Kind("idempotency-key-reused", 422, "The Idempotency-Key was used for another body",
         "A key names one request. Send the same body again, or take a new key."),
    Kind("too-many-requests", 429, "Too many requests",
         "This caller sends faster than the gateway lets it. `Retry-After` says when to go on."),
    Kind("too-deep", 429, "Too many jobs wait already",
         "The lane of the task and priority holds `depth` jobs, allowed are `limit`. "
         "`Retry-After` says when to look again."),
    Kind("internal", 500, "A fault of the gateway",
         "Something went wrong that should not. The log of the gateway tells it under `request_id`."),
    Kind("kafka-unavailable", 503, "Kafka does not answer",
         "Kafka did not acknowledge in time. What was sent may still arrive; sent again with the same "
         "`Idempotency-Key` or `job_id` it counts once."),
    Kind("kafka-refused", 503, "Kafka refused the record",
         "Kafka said no: a topic is missing, or its rules forbid the gateway to write. `detail` says which."),
    Kind("not-ready", 503, "The gateway is still reading",
         "It started a moment ago and has not read everything it must know. "
         "`Retry-After` says when to come back."),
)  # fmt: skip


class Problem(Exception):
    """Raised by any route; becomes the answer. `more` are members of their own in the document."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(f"{slug}: {detail}")
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def document(self) -> dict[str, Any]:
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }

    def response(self) -> Response:
        return Response(
            orjson.dumps(self.document(), default=str),
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers=self.headers,
        )


def problem(slug: str, detail: str, *, retry_after: float | None = None, **more: Any) -> Problem:
    """A problem of the catalogue. `retry_after` in seconds becomes the header. Raises KeyError for others."""
    kind = CATALOGUE[slug]
    headers = {} if retry_after is None else {"Retry-After": str(max(1, round(retry_after + 0.499)))}
    return Problem(kind.status, slug, kind.title, detail, headers=headers, **more)


class ErrorPlace(BaseModel):
    """One wrong place of a request: a `pointer` into the body, else a `parameter` or a `header`."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


class ProblemDocument(BaseModel):
    """An RFC 9457 problem. Some types carry more members; their pages name them."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(examples=["/problems/unknown-task"])
    title: str
    status: int
    detail: str
    errors: list[ErrorPlace] | None = None


def pointer(*path: str | int) -> str:
    """The RFC 6901 JSON pointer of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def documented(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses` say about the problems it can answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for slug in slugs:
        kind = CATALOGUE[slug]
        entry = found.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            },
        )
        text = f"[{kind.title}]({kind.type})"
        entry["description"] = f"{entry['description']}; {text}" if entry["description"] else text
        if kind.status in (429, 503):
            entry["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return found


EVERYWHERE: Final = ("not-authenticated", "not-allowed", "cross-site", "invalid-request", "too-many-requests")
"""What any route that needs a key may answer with."""
