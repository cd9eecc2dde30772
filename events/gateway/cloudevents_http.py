"""The CloudEvents 1.0.2 HTTP binding: binary, structured and batched requests to events. Pure."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from events import structured
from events.errors import Undecodable
from events.gateway.problems import ErrorPlace, Problem, pointer, problem
from events.times import event_time
from schemas import exact_json
from schemas.cloudevent import CloudEvent, is_json

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_REQUIRED: Final = ("specversion", "id", "source", "type")
_ATTRIBUTES: Final = frozenset((*_REQUIRED, "time", "subject", "dataschema"))
_TRACE: Final = frozenset({"traceparent", "tracestate"})


def read_events(headers: Iterable[tuple[str, str]], body: bytes) -> list[CloudEvent]:
    """The events of a request; header names in small letters. Raises a problem that says what is wrong."""
    pairs = list(headers)
    content_type = next((value for name, value in pairs if name == "content-type"), None)
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == BATCHED:
        return _batch(body)
    if media_type == STRUCTURED:
        return [_structured(_parsed(body))]
    if media_type.startswith("application/cloudevents"):
        raise problem(
            "unsupported-media-type",
            f"Of the event formats only JSON is read here, not {media_type[:60]}.",
            expected=[STRUCTURED, BATCHED],
        )
    return [_binary(pairs, content_type, body)]


def _binary(pairs: list[tuple[str, str]], content_type: str | None, body: bytes) -> CloudEvent:
    attributes: dict[str, str] = {}
    extensions: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith(_PREFIX):
            attribute = name.removeprefix(_PREFIX)
            target = attributes if attribute in _ATTRIBUTES else extensions
            if attribute in target or not attribute:
                raise _bad("is given twice" if attribute else "has no name", header=name)
            target[attribute] = _text(name, value)
        elif name in _TRACE:
            extensions.setdefault(name, value)
    for name in _REQUIRED:
        if not attributes.get(name):
            raise _bad("is missing: not a CloudEvent in binary mode", header=f"{_PREFIX}{name}")
    if attributes["specversion"] != "1.0":
        raise _bad("expected 1.0", header="ce-specversion")
    raw = body or None
    if raw is not None and is_json(content_type):
        _parsed(raw)
    try:
        time = event_time(attributes["time"]) if "time" in attributes else None
    except Undecodable as error:
        raise _bad(str(error), header="ce-time") from None
    return CloudEvent(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        subject=attributes.get("subject") or None,
        time=time,
        datacontenttype=content_type,
        dataschema=attributes.get("dataschema") or None,
        extensions=extensions,
        raw_data=raw,
    )


def _text(name: str, value: str) -> str:
    """Header values are percent-encoded UTF-8."""
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise _bad("is not UTF-8 once its percent signs are read", header=name) from None


def _batch(body: bytes) -> list[CloudEvent]:
    document = _parsed(body)
    if not isinstance(document, list):
        raise _bad("a batch is a JSON array of events", pointer="")
    return [_structured(each, index) for index, each in enumerate(document)]


def _structured(document: Any, *path: int) -> CloudEvent:
    try:
        return structured.from_document(document)
    except Undecodable as error:
        raise _bad(str(error), pointer=_place(document, str(error), path)) from None


def _place(document: Any, reason: str, path: tuple[int, ...]) -> str:
    """The attribute a refusal is about, where it names one."""
    named = _REQUIRED if not isinstance(document, dict) else (*_REQUIRED, *document)
    words = reason.replace("(", " ").split()
    found = next((name for name in named if name in words), None)
    return pointer(*path) if found is None or not isinstance(document, dict) else pointer(*path, found)


def _parsed(body: bytes) -> Any:
    try:
        return exact_json.loads(body)
    except ValueError as error:
        raise problem("not-json", f"The data are announced as JSON and are not: {error}.") from None


def _bad(detail: str, **where: str) -> Problem:
    place = ErrorPlace(detail=detail, **where)
    name = place.header or place.pointer or "the body"
    return problem("invalid-event", f"{name}: {detail}", errors=[place.model_dump(exclude_none=True)])
