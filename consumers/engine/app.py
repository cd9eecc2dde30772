"""The Faust app: what of Faust is used, and with which settings."""

from typing import Any

import faust
from faust.types import TP

from consumers.engine.recovery import StateTables
from consumers.engine.store import SharedMemory, StateTable
from consumers.engine.transport import BatchTopic, Transport
from consumers.settings import WorkerSettings

RAW = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}


class App(faust.App):  # type: ignore[misc]
    """A Faust app bound to one engine."""

    engine: Any

    def __init__(self, *args: Any, engine: Any, **options: Any) -> None:
        self.engine = engine
        super().__init__(*args, **options)

    def _new_transport(self) -> Transport:
        return Transport(list(self.conf.broker), self, loop=self.loop)

    def add_input(self, topic: str, partitions: int, take: Any) -> None:
        """Subscribe an input topic; its agent hands every batch to `take`."""
        channel = BatchTopic(self, topics=[topic], partitions=partitions, allow_empty=True, **RAW)

        async def agent(stream: Any) -> None:
            async for batch in stream.noack():
                await take(batch)

        self.agent(channel, name=f"intake.{topic}")(agent)

    def add_state(self, topic: str, partitions: int, *, indexed: bool, memory: SharedMemory) -> StateTable:
        """Register a state topic as the changelog of a table of the same name."""
        changelog = self.topic(
            topic, partitions=partitions, compacting=True, acks=False, internal=True, allow_empty=True, **RAW
        )
        table = StateTable(
            self,
            name=topic,
            memory=memory,
            indexed=indexed,
            partitions=partitions,
            changelog_topic=changelog,
        )
        added: StateTable = self.tables.add(table)
        return added


def new_app(settings: WorkerSettings, engine: Any) -> App:
    """The app of a worker; nothing connects before it starts."""
    return App(
        settings.app_id,
        engine=engine,
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=settings.faust_credentials(),
        store="rocksdb://?driver=rocksdict",
        datadir=str(settings.state_dir),
        TableManager=StateTables,
        broker_max_poll_records=1000,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=min(1.0, settings.session_timeout_seconds / 3),
        broker_commit_interval=settings.commit_interval_seconds,
        broker_rebalance_timeout=max(30.0, settings.session_timeout_seconds),
        broker_max_poll_interval=300.0,
        consumer_group_instance_id=settings.instance_id,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )


def tp_of(topic: str, partition: int) -> TP:
    return TP(topic, partition)
