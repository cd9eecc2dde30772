import datetime as dt

import pytest

from schemas.cloudevent import CloudEvent, is_json
from schemas.deadletter import without_own_headers


def test_data_are_parsed_once_and_only_when_asked_for() -> None:
    event = CloudEvent(type="a", source="/b", raw_data=b'{"n": [1]}')
    assert not event.has_parsed_data
    assert event.data is event.data
    assert event.has_parsed_data


def test_broken_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="line 1"):
        _ = CloudEvent(type="a", source="/b", raw_data=b"{").data


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, True),
        ("application/json", True),
        ("application/vnd.x+json; charset=utf-8", True),
        ("TEXT/JSON", True),
        ("text/csv", False),
        ("application/json-seq", False),
    ],
)
def test_what_counts_as_json(content_type: str | None, expected: bool) -> None:
    assert is_json(content_type) is expected


@pytest.mark.parametrize(("text", "version"), [(None, 1), ("1", 1), ("12", 12)])
def test_the_version_is_an_extension(text: str | None, version: int) -> None:
    extensions = {} if text is None else {"dataversion": text}
    assert CloudEvent(type="a", source="/b", extensions=extensions).version == version


@pytest.mark.parametrize("text", ["", "-1", "1.0", "²", "9" * 10])
def test_a_version_that_is_no_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="dataversion"):
        _ = CloudEvent(type="a", source="/b", extensions={"dataversion": text}).version


@pytest.mark.parametrize("text", ["", "00-abc-def-01", "garbage"])
def test_a_broken_trace_is_no_trace(text: str) -> None:
    assert CloudEvent(type="a", source="/b", extensions={"traceparent": text}).trace_id is None


def test_events_are_equal_by_what_they_say() -> None:
    time = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
    parsed = CloudEvent(type="a", source="/b", id="1", data={"n": 1}, time=time)
    raw = CloudEvent(type="a", source="/b", id="1", raw_data=b'{"n":1}', time=time)
    assert parsed == raw
    assert raw != CloudEvent(type="a", source="/b", id="2", raw_data=b'{"n":1}', time=time)
    assert raw != "a"
    assert "id='1'" in repr(raw)


def test_the_original_headers_of_a_letter_are_those_not_ours() -> None:
    headers = (("ce_id", b"1"), ("headrace-reason", b"failed"), ("x", None))
    assert without_own_headers(headers) == (("ce_id", b"1"), ("x", None))
