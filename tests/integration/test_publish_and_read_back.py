"""What is published is on the log when `publish` returns, as the CloudEvents binding has it."""

import datetime as dt

from events.codec import decode
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from schemas.flights import FlightCancelled
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of

NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)


async def test_events_arrive_with_key_headers_and_order(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=3)
    flight = FlightCancelled(
        carrier="UA", flight=1, tail_number="N14228", origin="EWR", dest="IAH",
        day=NOON.date(), scheduled_departure_at=NOON,
    )  # fmt: skip
    plain = CloudEvent(type="probe.happened", source="/probe", id="17", data={"n": 1})
    async with Publisher(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as publisher:
        first = await publisher.publish(flight, topic=topic)
        second = await publisher.publish(plain, topic=topic, headers={"tenant": "ua"})
        third = await publisher.publish(CloudEvent(type="t", source="/s"), topic=topic, key=b"N14228")
        many = await publisher.publish_many(
            [flight.model_copy(update={"flight": number}) for number in range(200)], topic=topic
        )
    found = {(record.partition, record.offset): record for record in await records_of(broker, topic)}
    record = found[first.partition, first.offset]
    event = decode(
        key=record.key, value=record.value, headers=record.headers, topic=topic, partition=0, offset=0
    )
    assert record.key == b"N14228"
    assert (event.type, event.source, event.time) == ("flight.cancelled", f"/{app_id}", NOON)
    assert FlightCancelled.model_validate_json(event.raw_data or b"") == flight
    other = found[second.partition, second.offset]
    assert other.key == b"17"
    assert ("tenant", b"ua") in other.headers
    assert found[third.partition, third.offset].value is None
    assert {first.partition} == {third.partition} == {position.partition for position in many}
    offsets = [position.offset for position in many]
    assert offsets == sorted(offsets)
    assert len(found) == 203
