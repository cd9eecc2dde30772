import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import decode, encode
from events.errors import Undecodable
from schemas.cloudevent import CloudEvent
from schemas.state import Headers
from tests.unit.events.strategies import events

REQUIRED = {
    "ce_specversion": b"1.0",
    "ce_id": b"17",
    "ce_source": b"/flights",
    "ce_type": b"flight.departed",
}


def read(
    headers: Headers | dict[str, bytes | None], value: bytes | None = b"{}", default_type: str | None = None
) -> CloudEvent:
    pairs = tuple(headers.items()) if isinstance(headers, dict) else headers
    return decode(
        key=None,
        value=value,
        headers=pairs,
        topic="flights",
        partition=3,
        offset=42,
        default_type=default_type,
    )


def test_reads_every_attribute_of_binary_mode() -> None:
    event = read(
        REQUIRED
        | {
            "ce_time": b"2013-01-01T05:17:00-05:00",
            "ce_subject": b"N14228",
            "ce_dataschema": b"https://schemas.example/flight",
            "ce_dataversion": b"2",
            "content-type": b"application/json",
            "unrelated": b"\xff",
        },
        b'{"carrier": "UA"}',
    )
    assert (event.id, event.source, event.type) == ("17", "/flights", "flight.departed")
    assert event.time == dt.datetime(2013, 1, 1, 10, 17, tzinfo=dt.UTC)
    assert (event.subject, event.dataschema) == ("N14228", "https://schemas.example/flight")
    assert event.extensions == {"dataversion": "2"}
    assert event.data == {"carrier": "UA"}


def test_data_stay_bytes_until_asked_for() -> None:
    event = read(REQUIRED, b"{no json")
    assert event.raw_data == b"{no json"
    with pytest.raises(ValueError, match=r"line 1 column"):
        _ = event.data


def test_a_null_value_in_binary_mode_is_an_event_without_data() -> None:
    event = read(REQUIRED, None)
    assert event.data is None
    assert event.raw_data is None


def test_content_that_is_not_json_stays_bytes() -> None:
    assert read(REQUIRED | {"content-type": b"image/png"}, b"\x89PNG").data == b"\x89PNG"


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_required_header_is_refused_by_name(missing: str) -> None:
    headers = {name: value for name, value in REQUIRED.items() if name != missing}
    with pytest.raises(Undecodable, match=f"header {missing} is missing"):
        read(headers)


@pytest.mark.parametrize("nothing", [b"", None])
@pytest.mark.parametrize("name", [*REQUIRED, "ce_time", "ce_subject", "ce_dataschema"])
def test_an_attribute_without_value_is_refused(name: str, nothing: bytes | None) -> None:
    with pytest.raises(Undecodable, match=f"header {name} has no value"):
        read({**REQUIRED, name: nothing})


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_time", "ce_tenant", "content-type"])
def test_a_doubled_header_is_refused(name: str) -> None:
    headers = [*REQUIRED.items(), (name, b"a"), (name, b"a")]
    with pytest.raises(Undecodable, match=f"header {name} is given twice"):
        read(headers)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ce_specversion", b"0.3", "ce_specversion is '0.3', expected '1.0'"),
        ("ce_id", b"\xff", "header ce_id is not UTF-8"),
        ("ce_tenant", b"\xff", "header ce_tenant is not UTF-8"),
        ("ce_tenant", None, "header ce_tenant has no value"),
        ("ce_", b"x", "header ce_ "),
        ("ce_time", b"tomorrow", "no RFC 3339 time"),
        ("ce_time", b"2013-01-01T05:17:00", "has no zone"),
        ("ce_time", b"99999-01-01T00:00:00Z", "no RFC 3339 time"),
        ("ce_time", b"2013-02-30T00:00:00Z", "no RFC 3339 time"),
        ("ce_time", b"9999-12-31T23:59:59-05:00", "outside the years"),
        ("content-type", b"application/cloudevents-batch+json", "a batch of CloudEvents"),
        ("content-type", b"Application/CloudEvents-Batch+JSON; charset=utf-8", "a batch of CloudEvents"),
        ("content-type", b"application/cloudevents+avro", r"event format application/cloudevents\+avro"),
    ],
)
def test_says_what_is_wrong(name: str, value: bytes | None, message: str) -> None:
    with pytest.raises(Undecodable, match=message):
        read({**REQUIRED, name: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"2016-12-31T23:59:60Z", dt.datetime(2016, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (b"2013-01-01t05:17:00z", dt.datetime(2013, 1, 1, 5, 17, tzinfo=dt.UTC)),
        (b"2013-01-01T05:17:00.123456789Z", dt.datetime(2013, 1, 1, 5, 17, 0, 123456, tzinfo=dt.UTC)),
        (b"0001-01-01T00:00:00Z", dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_reads_every_form_of_rfc_3339(text: bytes, expected: dt.datetime) -> None:
    assert read({**REQUIRED, "ce_time": text}).time == expected


def test_keeps_the_trace_of_the_event() -> None:
    own, transport = f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'c' * 32}-{'d' * 16}-01"
    both = read({**REQUIRED, "traceparent": transport.encode(), "ce_traceparent": own.encode()})
    plain = read([*REQUIRED.items(), ("traceparent", b"first"), ("traceparent", transport.encode())])
    assert both.trace_id == "a" * 32
    assert plain.trace_id == "c" * 32


def test_bare_json_is_named_by_its_place_in_the_log() -> None:
    event = read({"traceparent": b"00-x"}, b'{"order": 1}', default_type="order.placed")
    assert (event.id, event.source, event.type) == ("flights:3:42", "/flights", "order.placed")
    assert event.data == {"order": 1}
    assert event.extensions == {"traceparent": "00-x"}


@pytest.mark.parametrize(
    ("headers", "value", "message"),
    [
        ({}, None, "null value"),
        ({"content-type": b"text/csv"}, b"a;b", "content-type is 'text/csv'"),
        ({"ce_id": b"1"}, b"{}", "header ce_specversion is missing"),
    ],
)
def test_what_is_not_bare_json_is_refused(
    headers: dict[str, bytes | None], value: bytes | None, message: str
) -> None:
    with pytest.raises(Undecodable, match=message):
        read(headers, value, default_type="order.placed")


def test_bare_json_is_refused_where_no_type_is_declared() -> None:
    with pytest.raises(Undecodable, match="header ce_specversion is missing"):
        read({}, b'{"order": 1}')


def test_a_cloudevent_is_one_on_a_topic_of_bare_json_too() -> None:
    assert read(REQUIRED, default_type="order.placed").type == "flight.departed"


def test_refuses_to_write_what_cannot_be_read_back() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        encode(CloudEvent(type="a", source="b", time=dt.datetime(2013, 1, 1)))  # noqa: DTZ001
    with pytest.raises(TypeError, match="content type is text/csv"):
        encode(CloudEvent(type="a", source="b", data=[1], datacontenttype="text/csv"))


@given(events)
def test_what_is_written_reads_back_equal(event: CloudEvent) -> None:
    value, headers = encode(event)
    assert read(headers, value) == event


@given(st.binary(), st.sampled_from(["image/png", "application/octet-stream"]))
def test_bytes_read_back_untouched(data: bytes, content_type: str) -> None:
    value, headers = encode(CloudEvent(type="a", source="b", data=data, datacontenttype=content_type))
    assert read(headers, value).data == data


header_names = st.sampled_from(
    [*REQUIRED, "ce_time", "ce_subject", "ce_", "ce_x", "content-type", "Content-Type", "traceparent"]
)
header_values = st.one_of(
    st.none(),
    st.binary(max_size=30),
    st.sampled_from([b"1.0", b"application/cloudevents+json", b"2013-01-01T00:00:00Z", b"application/json"]),
)


@given(
    st.lists(st.tuples(header_names | st.text(max_size=10), header_values), max_size=8),
    st.none() | st.binary(max_size=60),
    st.sampled_from([None, "order.placed"]),
)
def test_no_bytes_raise_anything_but_undecodable(
    headers: list[tuple[str, bytes | None]], value: bytes | None, default_type: str | None
) -> None:
    with suppress(Undecodable):
        read(headers, value, default_type)
