"""A record Kafka will not have is a clear error, and does not harm the records beside it."""

import asyncio
import random

import pytest

from events.errors import EventTooLarge, UnknownTopic
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of


def event(number: int, size_bytes: int = 10) -> CloudEvent:
    data = random.Random(number).randbytes(size_bytes)  # nothing a compressor could shrink
    return CloudEvent(
        type="probe.happened", source="/probe", id=str(number), data=data, datacontenttype="a/b"
    )


async def test_a_topic_that_is_not_there_is_refused_and_not_made_up(broker: str, app_id: str) -> None:
    async with Publisher(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as publisher:
        for topic in (f"{app_id}-missing", "not a topic"):
            with pytest.raises(UnknownTopic, match=topic):
                await publisher.publish(event(1), topic=topic)


async def test_what_is_too_large_for_us_is_not_sent(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    settings = ClientSettings(bootstrap_servers=broker, app_id=app_id)
    async with Publisher(settings, max_message_bytes=5_000) as publisher:
        with pytest.raises(EventTooLarge, match="allowed are 5000"):
            await publisher.publish_many([event(1), event(2, 6_000)], topic=topic)
        await publisher.publish(event(3), topic=topic)
    assert [record.key for record in await records_of(broker, topic)] == [b"3"]


async def test_what_the_topic_refuses_does_not_poison_its_neighbours(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic(max_message_bytes=2_000)
    async with Publisher(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as publisher:
        for round_ in range(3):
            first = round_ * 20
            sent = await asyncio.gather(
                *(
                    publisher.publish(event(first + n, 20_000 if n == 3 else 10), topic=topic)
                    for n in range(20)
                ),
                return_exceptions=True,
            )
            refused = [outcome for outcome in sent if isinstance(outcome, BaseException)]
            assert [type(error) for error in refused] == [EventTooLarge]
            assert "max.message.bytes" in str(refused[0])
    keys = [int(record.key or b"") for record in await records_of(broker, topic)]
    assert sorted(keys) == [n for n in range(60) if n % 20 != 3]
