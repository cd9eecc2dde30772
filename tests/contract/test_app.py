"""What consumers/engine/app.py overrides or reaches into."""

from pathlib import Path
from types import SimpleNamespace

import faust
import pytest
from faust.app import base
from faust.streams import Stream

from consumers.engine.app import App, new_app
from consumers.engine.consumer_thread import ConsumerThread
from consumers.engine.recovery import StateTables
from consumers.engine.store import SharedMemory
from consumers.engine.transport import BatchTopic, Consumer, Transport
from consumers.settings import WorkerSettings
from tests.contract.stock import Stock

stock = Stock("consumers/engine/app.py")


@pytest.fixture
def app(tmp_path: Path) -> App:
    settings = WorkerSettings(
        bootstrap_servers="a:1, b:2", state_dir=tmp_path, session_timeout_seconds=9, instance_id="one"
    )
    return new_app(settings, engine=SimpleNamespace())


def test_our_parts_are_asked_for() -> None:
    stock.takes(faust.App._new_transport)
    stock.says(base.App.transport.fget, "self._transport = self._new_transport()")
    stock.has(base.App, "_consumer")
    stock.says(base.App.consumer.fget, "if self._consumer is None:", "self._new_consumer()")
    stock.takes(Stream.noack)


async def test_the_app_is_made_of_our_parts(app: App) -> None:
    stock.holds(isinstance(app.transport, Transport), "the transport is not ours")
    stock.holds(isinstance(app.tables, StateTables), "the table manager is not ours")
    stock.holds(isinstance(app.consumer, Consumer), "the consumer is not ours")
    thread = app.consumer._thread
    stock.holds(isinstance(thread, ConsumerThread), "the thread of the consumer is not ours")
    thread.thread_loop.close()


async def test_an_input_is_read_in_batches(app: App) -> None:
    async def take(_: object) -> None: ...

    app.add_input("in", 3, take)
    (agent,) = app.agents.values()
    stock.holds(isinstance(agent.channel, BatchTopic), "the agent's channel is not our topic")
    stock.holds(agent.channel.get_topic_name() == "in", "the agent reads another topic")


async def test_a_state_topic_is_a_changelog_by_our_name(app: App) -> None:
    table = app.add_state("s.retry", 3, indexed=True, memory=SharedMemory())
    stock.holds(table.changelog_topic.get_topic_name() == "s.retry", "the changelog has another name")
    stock.holds(app.tables.changelog_topics == {"s.retry"}, "the changelog is not registered")


def test_settings_mean_what_they_did(app: App) -> None:
    expected = {
        "broker_session_timeout": 9,
        "broker_heartbeat_interval": 1.0,
        "broker_rebalance_timeout": 30.0,
        "broker_max_poll_records": 1000,
        "consumer_group_instance_id": "one",
        "consumer_auto_offset_reset": "earliest",
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "table_standby_replicas": 0,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
    }
    found = {name: getattr(app.conf, name) for name in expected}
    stock.holds(found == expected, f"Faust's settings are {found}")
    servers = [(url.host, url.port) for url in app.conf.broker]
    stock.holds(servers == [("a", 1), ("b", 2)], f"Faust's servers are {servers}")
