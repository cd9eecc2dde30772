"""A user whom Kafka does not let write hears so, and can go on publishing elsewhere."""

import asyncio

import pytest
from aiokafka.admin import NewTopic

from events.errors import NotAuthorised
from events.provision import connected
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from tests.integration.conftest import OwnBroker
from tests.integration.consuming import records_of
from tests.integration.kafka_rules import AUTHORIZER, forbid_writing
from tests.waiting import until


def event(id: str) -> CloudEvent:
    return CloudEvent(type="probe.happened", source="/probe", id=id, data={})


async def test_writing_may_be_forbidden_before_and_while_publishing(
    own_broker: OwnBroker, app_id: str
) -> None:
    broker = await asyncio.to_thread(own_broker, overrides=AUTHORIZER)
    settings = ClientSettings(bootstrap_servers=broker.bootstrap_servers, app_id=app_id)
    async with connected(settings) as admin:
        await admin.create_topics([NewTopic(name, 1, 1) for name in ("open", "closing", "forbidden")])
    await forbid_writing(broker.bootstrap_servers, "forbidden")
    async with Publisher(settings) as publisher:
        await publisher.publish(event("1"), topic="open")
        await publisher.publish(event("1"), topic="closing")
        with pytest.raises(NotAuthorised, match="an anonymous user write to 'forbidden'"):
            await publisher.publish(event("2"), topic="forbidden")
        await forbid_writing(broker.bootstrap_servers, "closing")

        async def refused() -> bool:
            try:
                await publisher.publish(event("2"), topic="closing")
            except NotAuthorised:
                return True
            return False

        await until(refused, saying="the rule is in force")
        await publisher.publish(event("3"), topic="open")
    assert [record.key for record in await records_of(broker.bootstrap_servers, "open")] == [b"1", b"3"]
