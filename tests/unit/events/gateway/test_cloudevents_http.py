from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.gateway.cloudevents_http import BATCHED, STRUCTURED, read_events
from events.gateway.problems import Problem

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}
BINARY = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]
JSON = [("content-type", "application/json")]


def test_three_modes_are_the_same_event() -> None:
    (binary,) = read_events([*BINARY, *JSON], b'{"a":1}')
    (single,) = read_events([("content-type", f"{STRUCTURED}; charset=utf-8")], orjson.dumps(EVENT))
    batch = read_events([("content-type", BATCHED)], orjson.dumps([EVENT, EVENT]))
    for event in (binary, single, *batch):
        assert (event.id, event.source, event.type, event.data) == ("1", "/s", "t", {"a": 1})
    assert read_events([("content-type", BATCHED)], b"[]") == []


def test_binary_headers_are_percent_encoded_and_extensions_kept() -> None:
    (event,) = read_events(
        [*BINARY, ("ce-subject", "gr%C3%BC%C3%9Fe %25"), ("ce-dataversion", "2"), ("traceparent", "00-x"),
         ("ce-time", "2020-01-01T00:00:00Z"), ("content-type", "image/png"), ("cookie", "secret")],
        b"\x89PNG",
    )  # fmt: skip
    assert (event.subject, event.version, event.raw_data) == ("grüße %", 2, b"\x89PNG")
    assert event.extensions == {"dataversion": "2", "traceparent": "00-x"}
    assert event.time is not None
    (empty,) = read_events(BINARY, b"")
    assert empty.raw_data is None


@pytest.mark.parametrize(
    ("headers", "body", "slug", "place"),
    [
        (BINARY[1:], b"", "invalid-event", {"header": "ce-specversion"}),
        ([*BINARY, ("ce-id", "2")], b"", "invalid-event", {"header": "ce-id"}),
        ([("ce-specversion", "0.3"), *BINARY[1:]], b"", "invalid-event", {"header": "ce-specversion"}),
        ([*BINARY, ("ce-time", "yesterday")], b"", "invalid-event", {"header": "ce-time"}),
        ([*BINARY, ("ce-x", "%FF")], b"", "invalid-event", {"header": "ce-x"}),
        ([*BINARY, *JSON], b"{", "not-json", None),
        ([("content-type", STRUCTURED)], b"{", "not-json", None),
        ([("content-type", STRUCTURED)], b"[]", "invalid-event", {"pointer": ""}),
        ([("content-type", BATCHED)], orjson.dumps([EVENT, EVENT | {"id": 5}]), "invalid-event",
         {"pointer": "/1/id"}),
        ([("content-type", BATCHED)], orjson.dumps(EVENT), "invalid-event", {"pointer": ""}),
        ([("content-type", "application/cloudevents+avro")], b"", "unsupported-media-type", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_pointed_at(
    headers: list[tuple[str, str]], body: bytes, slug: str, place: dict[str, str] | None
) -> None:
    with pytest.raises(Problem) as raised:
        read_events(headers, body)
    assert raised.value.slug == slug
    if place is not None:
        (error,) = raised.value.more["errors"]
        assert place.items() <= error.items()


@given(
    st.lists(st.tuples(st.sampled_from(["ce-id", "ce-type", "ce-x", "ce-", "content-type"]), st.text(
        alphabet=st.characters(max_codepoint=255)))),
    st.binary(max_size=50),
)  # fmt: skip
def test_anything_is_an_event_or_a_problem(headers: list[tuple[str, str]], body: bytes) -> None:
    with suppress(Problem):
        read_events([*BINARY[:3], *headers], body)
