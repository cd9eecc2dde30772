"""`POST /events`: CloudEvents over HTTP onto the topics tasks subscribe to."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from events import codec
from events.errors import PublishError
from events.gateway.access import needs
from events.gateway.announced import Announced
from events.gateway.cloudevents_http import BATCHED, STRUCTURED, read_events
from events.gateway.intake import refused, unavailable
from events.gateway.job_routes import known
from events.gateway.keys import Scope
from events.gateway.parts import Parts, parts_of
from events.gateway.problems import EVERYWHERE, ErrorPlace, documented, problem
from events.gateway.submission import invalid
from events.sender import Record
from schemas.cloudevent import CloudEvent
from schemas.job import JOB_REQUESTED

router = APIRouter(tags=["events"])

PARTITION_KEY: Final = "partitionkey"
"""The CloudEvents extension that names the record's key; without it the id of the event is the key."""


class EventPlace(BaseModel):
    """Where an event is now."""

    id: str
    topic: str
    partition: int
    offset: int


class EventsTaken(BaseModel):
    """Every event of the request, in its order."""

    events: list[EventPlace]


def _header(name: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, **schema}
    return {"name": name, "in": "header", "required": required, "schema": text}


_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "subject": {"type": ["string", "null"], "minLength": 1},
        "time": {"type": ["string", "null"], "format": "date-time"},
        "datacontenttype": {"type": ["string", "null"], "minLength": 1},
        "dataschema": {"type": ["string", "null"], "minLength": 1},
        "data": {},
        "data_base64": {"type": ["string", "null"], "contentEncoding": "base64"},
    },
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}


@router.post(
    "/events",
    status_code=202,
    operation_id="publish",
    summary="Publish events",
    response_class=Response,
    responses={
        202: {
            "description": "Kafka has every event.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EventsTaken"}}},
        },
        **documented(
            *EVERYWHERE, "not-json", "too-large", "unsupported-media-type", "invalid-event", "unknown-topic",
            "kafka-unavailable", "kafka-refused", "not-ready",
        ),
    },
    openapi_extra={
        "parameters": [
            _header("ce-specversion", pattern="^1\\.0$"),
            _header("ce-id", pattern="^[!-$&-~]+$"),
            _header("ce-source", pattern="^[!-$&-~]+$"),
            _header("ce-type", pattern="^[!-$&-~]+$"),
        ],
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": _EVENT},
                BATCHED: {"schema": {"type": "array", "items": _EVENT}},
                "*/*": {"schema": {"description": "Binary mode: the data, with `ce-` headers."}},
            },
        },
    },
    dependencies=[Depends(needs(Scope.SUBMIT))],
)  # fmt: skip
async def publish(
    request: Request,
    topic: Annotated[
        str | None, Query(min_length=1, max_length=249, description="Where tasks do not decide it.")
    ] = None,
) -> Response:
    """CloudEvents in binary, structured or batched mode. All are checked before the first is sent; when one
    cannot be sent the request fails, and those before it may be stored: send all again, their ids make them
    count once."""
    parts = parts_of(request)
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    events = read_events(pairs, await request.body())
    await known(parts)
    records = [_record(parts, event, topic) for event in events]
    if not parts.sender.is_connected:
        raise unavailable("The gateway has no connection to Kafka.")
    places = []
    for event, outcome in zip(events, await parts.sender.send_all(records), strict=True):
        if isinstance(outcome, PublishError):
            raise refused(outcome, parts.settings)
        parts.metrics.events.labels(outcome.topic).inc()
        places.append({"id": event.id, **outcome._asdict()})
    return Response(orjson.dumps({"events": places}), 202, media_type="application/json")


def _record(parts: Parts, event: CloudEvent, topic: str | None) -> Record:
    if event.type == JOB_REQUESTED:
        raise problem("unknown-topic", "Jobs are asked for with POST /jobs.")
    chosen = choose_topic(event.type, topic, parts.announced, parts.settings.gateway_event_topics)
    try:
        value, headers = codec.encode(event)
    except (TypeError, ValueError) as error:
        raise invalid(ErrorPlace(pointer="/data", detail=str(error))) from None
    key = event.extensions.get(PARTITION_KEY) or event.id
    return Record(chosen, key.encode(), value, headers)


def choose_topic(type: str, asked: str | None, announced: Announced, mapped: dict[str, str]) -> str:
    """The topic of an event: the one asked for if it takes events at all, else what the settings or the
    tasks subscribed to its type say. Raises a problem when that is none or several."""
    if asked is not None:
        if asked in mapped.values() or announced.takes_from(asked):
            return asked
        raise problem(
            "unknown-topic", f"No task subscribes to topic {asked!r:.260}, and no setting names it."
        )
    if type in mapped:
        return mapped[type]
    topics = sorted(announced.topics_of(type))
    if len(topics) == 1:
        return topics[0]
    if topics:
        raise problem(
            "unknown-topic", f"Tasks take {type!r:.210} from {', '.join(topics)}: name one with ?topic=."
        )
    raise problem("unknown-topic", f"No task subscribes to {type!r:.210}.")
