"""The CloudEvents 1.0 JSON event format: an event as one JSON object, and back.

Used for records in structured mode and for events carried inside job requests.
"""

import base64
import binascii
from typing import Any, Final

from events.errors import Undecodable
from events.times import event_time, rfc3339
from schemas import exact_json
from schemas.cloudevent import CloudEvent, is_json

_REQUIRED: Final = ("id", "source", "type")
_OPTIONAL: Final = ("subject", "datacontenttype", "dataschema")
_KNOWN: Final = frozenset((*_REQUIRED, *_OPTIONAL, "specversion", "time", "data", "data_base64"))


def loads(value: bytes) -> CloudEvent:
    """The event of a JSON document. Raises Undecodable."""
    try:
        document = exact_json.loads(value)
    except ValueError as error:
        raise Undecodable(f"structured CloudEvent is not JSON: {error}") from None
    return from_document(document)


def from_document(document: Any) -> CloudEvent:
    """The event of a parsed JSON document. A null attribute is one that is not there. Raises Undecodable."""
    if not isinstance(document, dict):
        raise Undecodable(f"structured CloudEvent is a JSON {type(document).__name__}, expected an object")
    if document.get("specversion") != "1.0":
        raise Undecodable(f"specversion is {_shown(document.get('specversion'))}, expected '1.0'")
    content_type = _text(document, "datacontenttype")
    data, raw_data = _data_of(document, content_type)
    time = _text(document, "time")
    return CloudEvent(
        id=_required(document, "id"),
        source=_required(document, "source"),
        type=_required(document, "type"),
        subject=_text(document, "subject"),
        time=None if time is None else event_time(time),
        datacontenttype=content_type,
        dataschema=_text(document, "dataschema"),
        extensions={
            name: _extension(name, value)
            for name, value in document.items()
            if name not in _KNOWN and value is not None
        },
        data=data,
        raw_data=raw_data,
    )


def to_document(event: CloudEvent) -> dict[str, Any]:
    """The event as a JSON object. Raises ValueError for a time without zone or for JSON that is none."""
    document: dict[str, Any] = dict(event.extensions) | {"specversion": "1.0"}
    for name in (*_REQUIRED, *_OPTIONAL):
        if (value := getattr(event, name)) is not None:
            document[name] = value
    if event.time is not None:
        document["time"] = rfc3339(event.time)
    data = event.data
    if isinstance(data, bytes):
        document["data_base64"] = base64.b64encode(data).decode("ascii")
    elif data is not None:
        document["data"] = data
    return document


def _required(document: dict[str, Any], name: str) -> str:
    text = _text(document, name)
    if text is None:
        raise Undecodable(f"structured CloudEvent has no {name}")
    return text


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise Undecodable(f"{name} is {_shown(value)}, expected text")
    return value


def _extension(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise Undecodable(
        f"extension {name[:60]} is a JSON {type(value).__name__}, expected text, integer or boolean"
    )


def _data_of(document: dict[str, Any], content_type: str | None) -> tuple[Any, bytes | None]:
    """(parsed data, its bytes). JSON data are written out again, so that typed tasks validate bytes."""
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is not None:
        if data is not None:
            raise Undecodable("structured CloudEvent has both data and data_base64")
        raw = _from_base64(encoded)
        return (_parsed(raw) if is_json(content_type) else raw), raw
    if data is None:
        return None, None
    if not is_json(content_type) and isinstance(data, str):
        return data.encode(), data.encode()
    try:
        return data, exact_json.dumps(data)
    except TypeError as error:
        raise Undecodable(f"data of the structured CloudEvent: {error}") from None


def _from_base64(encoded: Any) -> bytes:
    if not isinstance(encoded, str):
        raise Undecodable(f"data_base64 is a JSON {type(encoded).__name__}, expected text")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Undecodable(f"data_base64 is not Base64: {error}") from None


def _parsed(raw: bytes) -> Any:
    try:
        return exact_json.loads(raw)
    except ValueError as error:
        raise Undecodable(f"data_base64 announced as JSON is not JSON: {error}") from None


def _shown(value: Any) -> str:
    return repr(value)[:40]
