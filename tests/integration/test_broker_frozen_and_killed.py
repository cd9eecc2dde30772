"""A local broker can be frozen, thawed, killed and started again on its data."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.errors import LocalBrokerError
from tests.integration.conftest import OwnBroker


async def _topics(bootstrap_servers: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        return await admin.list_topics()
    finally:
        await admin.close()


async def test_a_topic_survives_freeze_kill_and_restart(own_broker: OwnBroker) -> None:
    local = own_broker()
    admin = AIOKafkaAdminClient(bootstrap_servers=local.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()

    local.freeze()
    assert local.status().state == "silent"
    local.thaw()
    assert local.status().state == "running"

    local.kill()
    assert local.status().state == "stopped"
    local.start()
    assert "kept" in await _topics(local.bootstrap_servers)

    local.restart()
    assert "kept" in await _topics(local.bootstrap_servers)


def test_kafkas_own_tools_run(own_broker: OwnBroker) -> None:
    local = own_broker()
    assert len(local.run_tool("kafka.tools.StorageTool", "random-uuid").strip()) == 22
    with pytest.raises(LocalBrokerError, match=r"kafka\.tools\.StorageTool ended with"):
        local.run_tool("kafka.tools.StorageTool", "no-such-command")
    local.stop()
    with pytest.raises(LocalBrokerError, match="No broker runs"):
        local.run_tool("kafka.tools.StorageTool", "random-uuid")
