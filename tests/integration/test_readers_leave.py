"""A reader that is left closes its connections, whatever aiokafka makes of its stop."""

import asyncio

from aiokafka import TopicPartition

from events.connecting import leave, start_reader
from events.settings import ClientSettings
from tests.integration.conftest import MakeTopic


async def test_a_fetch_that_ends_as_cancelled_leaves_no_connection_open(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    reader = await start_reader(ClientSettings(bootstrap_servers=broker, app_id=app_id), "probe")
    reader.assign([TopicPartition(topic, 0)])
    await reader.getmany(timeout_ms=100)
    connections = list(reader._client._conns.values())
    assert any(each.connected() for each in connections)
    reader._fetcher._pending_tasks.add(asyncio.create_task(asyncio.sleep(3600)))
    await leave(reader)
    assert not any(each.connected() for each in connections)
