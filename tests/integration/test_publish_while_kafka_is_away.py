"""Publishing waits for Kafka for a bounded time, goes on by itself, and stops even when Kafka stays away."""

import asyncio

import pytest

from events.errors import BrokerDown, BrokerUnreachable
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from tests.integration.conftest import OwnBroker
from tests.integration.consuming import records_of


def event(id: str) -> CloudEvent:
    return CloudEvent(type="probe.happened", source="/probe", id=id, data={})


async def test_nobody_there(app_id: str) -> None:
    settings = ClientSettings(bootstrap_servers="127.0.0.1:1", app_id=app_id)
    with pytest.raises(BrokerUnreachable, match="No Kafka answers at"):
        async with Publisher(settings, timeout_seconds=0.5):
            pass


async def test_a_frozen_broker_is_waited_for_and_then_reported(own_broker: OwnBroker, app_id: str) -> None:
    broker = await asyncio.to_thread(own_broker, overrides={"auto.create.topics.enable": "true"})
    settings = ClientSettings(bootstrap_servers=broker.bootstrap_servers, app_id=app_id)
    topic = await _new_topic(broker.bootstrap_servers)
    async with Publisher(settings, timeout_seconds=2) as publisher:
        await publisher.publish(event("before"), topic=topic)
        broker.freeze()
        with pytest.raises(BrokerDown, match="did not answer"):
            await publisher.publish(event("during"), topic=topic)
        waiting = asyncio.create_task(publisher.publish(event("waiting"), topic=topic))
        await asyncio.wait({waiting}, timeout=0.2)
        broker.thaw()
        await waiting
        await publisher.publish(event("after"), topic=topic)
        broker.freeze()
        with pytest.raises(BrokerDown):
            await publisher.publish(event("last"), topic=topic)
    broker.thaw()
    keys = [record.key for record in await records_of(broker.bootstrap_servers, topic)]
    assert [key for key in keys if key != b"last"] == [b"before", b"during", b"waiting", b"after"]


async def _new_topic(bootstrap_servers: str) -> str:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("probe", num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    return "probe"
