import datetime as dt

import pytest

from events.errors import EventTooLarge
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from schemas.flights import FlightCancelled

NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
FLIGHT = FlightCancelled(
    carrier="UA", flight=1, tail_number="N14228", origin="EWR", dest="IAH",
    day=NOON.date(), scheduled_departure_at=NOON,
)  # fmt: skip
PLAIN = CloudEvent(type="probe.happened", source="/probe", id="17", data={})


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(ClientSettings(app_id="app"), max_message_bytes=2_000)


def test_a_domain_event_knows_topic_and_key(publisher: Publisher) -> None:
    record = publisher.record(FLIGHT)
    assert (record.topic, record.key) == ("flights", b"N14228")
    assert ("ce_source", b"/app") in record.headers
    assert ("ce_time", b"2013-01-01T12:00:00Z") in record.headers


def test_what_is_given_wins(publisher: Publisher) -> None:
    record = publisher.record(FLIGHT, topic="other", key="mine", headers={"tenant": "ua"})
    assert (record.topic, record.key) == ("other", b"mine")
    assert ("tenant", b"ua") in record.headers


def test_an_event_without_key_is_keyed_by_its_id(publisher: Publisher) -> None:
    assert publisher.record(PLAIN, topic="probe").key == b"17"
    unnamed = publisher.record(FLIGHT.model_copy(update={"tail_number": None}))
    assert ("ce_id", unnamed.key) in unnamed.headers


def test_an_envelope_of_the_catalogue_finds_its_topic(publisher: Publisher) -> None:
    assert publisher.record(FLIGHT.to_event(source="/x")).topic == "flights"
    with pytest.raises(ValueError, match=r"no topic for 'probe.happened'"):
        publisher.record(PLAIN)


@pytest.mark.parametrize("name", ["ce_id", "content-type", "Content-Type"])
def test_headers_of_the_event_are_not_given_twice(publisher: Publisher, name: str) -> None:
    with pytest.raises(ValueError, match="belongs to the event"):
        publisher.record(FLIGHT, headers={name: "x"})


async def test_the_size_is_checked_before_anything_is_sent(publisher: Publisher) -> None:
    large = CloudEvent(type="a", source="/b", data="x" * 2_000)
    with pytest.raises(EventTooLarge, match="allowed are 2000"):
        await publisher.publish_many([PLAIN, large], topic="probe")


async def test_a_publisher_that_is_not_started_says_so(publisher: Publisher) -> None:
    with pytest.raises(RuntimeError, match="async with Publisher"):
        await publisher.publish(PLAIN, topic="probe")
