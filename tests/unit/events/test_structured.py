import datetime as dt
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import structured
from events.codec import decode
from events.errors import Undecodable
from schemas.cloudevent import CloudEvent
from tests.unit.events.strategies import events, json_values

MINIMAL = {"specversion": "1.0", "id": "17", "source": "/flights", "type": "flight.departed"}


def read(document: Any, content_type: bytes = b"application/cloudevents+json") -> CloudEvent:
    value = document if isinstance(document, bytes) else orjson.dumps(document)
    headers = [("content-type", content_type), ("traceparent", b"00-x")]
    return decode(key=None, value=value, headers=headers, topic="flights", partition=0, offset=0)


def test_no_digit_of_a_large_integer_is_lost() -> None:
    number = 123456789012345678901234567890
    text = b'{"specversion":"1.0","id":"17","source":"/s","type":"t","data":{"n":%d}}' % number
    event = read(text)
    assert event.data == {"n": number}
    assert event.raw_data == b'{"n":%d}' % number
    assert structured.from_document(structured.to_document(event)).raw_data == event.raw_data


def test_reads_every_member() -> None:
    event = read(
        MINIMAL
        | {
            "time": "2013-01-01T05:17:00-05:00",
            "subject": "N14228",
            "dataschema": None,
            "tenant": "ua",
            "sampled": True,
            "dataversion": 2,
            "data": {"carrier": "UA"},
        },
        b"Application/CloudEvents+JSON; charset=UTF-8",
    )
    assert event.time == dt.datetime(2013, 1, 1, 10, 17, tzinfo=dt.UTC)
    assert event.subject == "N14228"
    assert event.dataschema is None
    assert event.extensions == {
        "tenant": "ua",
        "sampled": "true",
        "dataversion": "2",
        "traceparent": "00-x",
    }
    assert event.version == 2
    assert event.data == {"carrier": "UA"}
    assert event.raw_data == b'{"carrier":"UA"}'


def test_the_trace_of_the_event_wins_over_that_of_the_record() -> None:
    assert read(MINIMAL | {"traceparent": "00-own"}).extensions["traceparent"] == "00-own"


@pytest.mark.parametrize(
    ("members", "data"),
    [
        ({"data_base64": "iVBORw==", "datacontenttype": "image/png"}, b"\x89PNG"),
        ({"data_base64": "eyJhIjoxfQ=="}, {"a": 1}),
        ({"data": "<a/>", "datacontenttype": "application/xml"}, b"<a/>"),
        ({"data": "text"}, "text"),
        ({"data": None}, None),
        ({}, None),
    ],
)
def test_reads_data_by_its_content_type(members: dict[str, Any], data: Any) -> None:
    assert read(MINIMAL | members).data == data


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        ([MINIMAL], "is a JSON list"),
        ({}, "specversion is None"),
        (MINIMAL | {"specversion": "0.3"}, "specversion is '0.3'"),
        (MINIMAL | {"id": None}, "has no id"),
        (MINIMAL | {"id": ""}, "id is ''"),
        (MINIMAL | {"type": 7}, "type is 7"),
        (MINIMAL | {"time": "noon"}, "no RFC 3339 time"),
        (MINIMAL | {"tenant": {"a": 1}}, "extension tenant is a JSON dict"),
        (MINIMAL | {"data": 1, "data_base64": "MQ=="}, "both data and data_base64"),
        (MINIMAL | {"data_base64": 1}, "data_base64 is a JSON int"),
        (MINIMAL | {"data_base64": "§"}, "not Base64"),
        (MINIMAL | {"data_base64": "ew=="}, "announced as JSON is not JSON"),
        (orjson.dumps(MINIMAL)[:-1] + b',"data":' + b"[" * 500 + b"]" * 500 + b"}", "data of the structured"),
    ],
)
def test_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(Undecodable, match=message):
        read(document)


def test_a_record_without_value_is_refused() -> None:
    headers = [("content-type", b"application/cloudevents+json")]
    with pytest.raises(Undecodable, match="without value"):
        decode(key=None, value=None, headers=headers, topic="t", partition=0, offset=0)


@given(events)
def test_what_is_written_reads_back_equal(event: CloudEvent) -> None:
    assert structured.loads(orjson.dumps(structured.to_document(event))) == event


def test_bytes_survive() -> None:
    event = CloudEvent(type="a", source="b", data=b"\x00\xff", datacontenttype="image/png")
    assert structured.from_document(structured.to_document(event)) == event


@given(json_values | st.dictionaries(st.sampled_from(sorted(MINIMAL)), json_values))
def test_no_document_raises_anything_but_undecodable(document: Any) -> None:
    with suppress(Undecodable):
        structured.from_document(document)
