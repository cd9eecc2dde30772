"""The CloudEvents 1.0 Kafka protocol binding: records to events and back.

In: binary mode (attributes in `ce_` headers), structured mode (one JSON object), and bare JSON where the
topic declares a type for it. Batches are refused: the binding has none. Out: binary mode.
Data are not looked at here: a task that wants them parses them, an event nobody wants is never parsed.
"""

from typing import Final, NoReturn

from events import structured
from events.errors import Undecodable
from events.times import event_time, rfc3339
from schemas import exact_json
from schemas.cloudevent import JSON, CloudEvent, is_json
from schemas.state import Headers

CONTENT_TYPE: Final = "content-type"
TRACE_HEADERS: Final = frozenset({"traceparent", "tracestate"})

_CLOUDEVENTS: Final = "application/cloudevents"
_ATTRIBUTE_OF: Final = {
    "ce_id": "id",
    "ce_source": "source",
    "ce_type": "type",
    "ce_specversion": "specversion",
    "ce_time": "time",
    "ce_subject": "subject",
    "ce_dataschema": "dataschema",
    CONTENT_TYPE: CONTENT_TYPE,
    "Content-Type": CONTENT_TYPE,
}
_NO_EXTENSIONS: Final = frozenset({"ce_data", "ce_data_base64", "ce_datacontenttype"})


def decode(
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    topic: str,
    partition: int,
    offset: int,
    default_type: str | None = None,
) -> CloudEvent:
    """The event of a record. `default_type` is the type of bare JSON on this topic, if it takes any.

    Raises Undecodable, and nothing else, for a record that is no event.
    """
    attributes, extensions = _read(headers)
    content_type = attributes.get(CONTENT_TYPE)
    if content_type is not None and content_type != JSON and content_type.lower().startswith(_CLOUDEVENTS):
        return _structured(content_type, value, extensions)
    if default_type is not None and not any(name.startswith("ce_") for name, _ in headers):
        _check_bare(content_type, value)
        return CloudEvent(
            id=f"{topic}:{partition}:{offset}",
            source=f"/{topic}",
            type=default_type,
            extensions=extensions,
            raw_data=value,
        )
    return _binary(attributes, extensions, value)


def _read(headers: Headers) -> tuple[dict[str, str], dict[str, str]]:
    """(attributes, extensions). A header given twice is refused: nobody can know which one is meant."""
    attributes: dict[str, str] = {}
    extensions: dict[str, str] = {}
    trace: dict[str, str] | None = None
    name = ""
    try:
        for name, content in headers:
            attribute = _ATTRIBUTE_OF.get(name)
            if attribute is not None:
                if content and attribute not in attributes:
                    attributes[attribute] = content.decode()
                elif content or attribute != CONTENT_TYPE:
                    _refuse(name, content)
            elif name.startswith("ce_") and name not in _NO_EXTENSIONS:
                if content is None or name[3:] in extensions or name == "ce_":
                    _refuse(name, content)
                extensions[name[3:]] = content.decode()
            elif name in TRACE_HEADERS and content:
                trace = (trace or {}) | {name: content.decode()}
    except UnicodeDecodeError:
        raise Undecodable(f"header {name} is not UTF-8") from None
    # The event's own trace wins over its transport's; tracers append theirs, so the last one is the sender's.
    return attributes, extensions if trace is None else trace | extensions


def _refuse(name: str, content: bytes | None) -> NoReturn:
    raise Undecodable(f"header {name[:60]} {'is given twice' if content else 'has no value'}")


def _binary(attributes: dict[str, str], extensions: dict[str, str], value: bytes | None) -> CloudEvent:
    try:
        if attributes["specversion"] != "1.0":
            raise Undecodable(f"ce_specversion is {attributes['specversion'][:40]!r}, expected '1.0'")
        time = attributes.get("time")
        id, source = attributes["id"], attributes["source"]
        return CloudEvent(  # names would cost 0.4 µs
            attributes["type"],
            source,
            id,
            attributes.get("subject"),
            None if time is None else event_time(time),
            attributes.get(CONTENT_TYPE),
            attributes.get("dataschema"),
            extensions,
            value,
        )
    except KeyError as missing:
        raise Undecodable(
            f"header ce_{missing.args[0]} is missing: not a CloudEvent in binary mode"
        ) from None


def _structured(content_type: str, value: bytes | None, extensions: dict[str, str]) -> CloudEvent:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents-batch"):
        raise Undecodable("a batch of CloudEvents: Kafka's binding has none, send one event a record")
    if media_type != "application/cloudevents+json":
        raise Undecodable(f"event format {media_type[:60]} is not known, only application/cloudevents+json")
    if value is None:
        raise Undecodable("a structured CloudEvent without value")
    event = structured.loads(value)
    for name in TRACE_HEADERS & extensions.keys():
        event.extensions.setdefault(name, extensions[name])
    return event


def _check_bare(content_type: str | None, value: bytes | None) -> None:
    if not is_json(content_type):
        raise Undecodable(f"content-type is {str(content_type)[:60]!r} on a topic of bare JSON")
    if value is None:
        raise Undecodable("a null value on a topic of bare JSON")


def encode(event: CloudEvent) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """(value, headers) of an event in binary mode. An event without data has a null value.

    Raises TypeError for data that are neither JSON nor bytes, ValueError for a time without zone.
    """
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
    ]
    if event.time is not None:
        headers.append(("ce_time", rfc3339(event.time).encode()))
    if event.subject is not None:
        headers.append(("ce_subject", event.subject.encode()))
    if event.dataschema is not None:
        headers.append(("ce_dataschema", event.dataschema.encode()))
    headers += [(f"ce_{name}", text.encode()) for name, text in event.extensions.items()]
    if event.datacontenttype is not None:
        headers.append((CONTENT_TYPE, event.datacontenttype.encode()))
    return _value(event), headers


def _value(event: CloudEvent) -> bytes | None:
    if event.raw_data is not None:
        return event.raw_data
    data = event.data
    if data is None or isinstance(data, bytes):
        return data
    if is_json(event.datacontenttype):
        return exact_json.dumps(data)
    if isinstance(data, str):
        return data.encode()
    raise TypeError(
        f"data of {event.type} are {type(data).__name__}, but the content type is {event.datacontenttype}: "
        "give bytes or text, or leave the content type as application/json"
    )
