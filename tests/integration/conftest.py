"""A real Kafka for every integration test, and fresh names on it."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.broker import LocalBroker
from events.errors import ToolMissing
from tests.waiting import until

TEST_BOOTSTRAP_SERVERS = "HEADRACE_TEST_BOOTSTRAP_SERVERS"

MakeTopic = Callable[..., Awaitable[str]]
OwnBroker = Callable[..., LocalBroker]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of the Kafka all tests share. It is never stopped or broken: see `own_broker`."""
    given = os.environ.get(TEST_BOOTSTRAP_SERVERS)
    if given:
        yield given
        return
    local = LocalBroker(data_dir=tmp_path_factory.mktemp("broker"))
    started = _start(local)
    yield started.bootstrap_servers
    local.erase()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[OwnBroker]:
    """Start brokers that belong to one test, to break as it likes: own_broker(overrides={...})."""
    brokers: list[LocalBroker] = []

    def start(**arguments: object) -> LocalBroker:
        folder = tmp_path / f"broker-{len(brokers)}"
        local = LocalBroker(data_dir=folder, **arguments)  # type: ignore[arg-type]
        brokers.append(local)
        return _start(local)

    yield start
    for local in brokers:
        local.thaw()
        local.erase()


@pytest.fixture
def app_id() -> str:
    """A name no other test uses, so that topics and groups never meet."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
async def admin(broker: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client of the shared broker."""
    client = AIOKafkaAdminClient(bootstrap_servers=broker)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def make_topic(admin: AIOKafkaAdminClient, app_id: str) -> MakeTopic:
    """Create a topic and return its name: await make_topic("probe", partitions=2, retention_ms=…)."""

    async def make(
        name: str = "events", *, partitions: int = 1, exact: bool = False, **config: object
    ) -> str:
        topic = name if exact else f"{app_id}-{name}"
        configs = {key.replace("_", "."): str(value) for key, value in config.items()}
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, topic_configs=configs)
        answer = (await admin.create_topics([new])).to_object()
        assert [error["error_code"] for error in answer["topic_errors"]] == [0], answer
        await until(lambda: _has_leaders(admin, topic), saying=f"{topic} has leaders")
        return topic

    return make


async def _has_leaders(admin: AIOKafkaAdminClient, name: str) -> bool:
    found = [topic for topic in await admin.describe_topics() if topic["topic"] == name]
    return bool(found) and all(partition["leader"] >= 0 for partition in found[0]["partitions"])


def _start(local: LocalBroker) -> LocalBroker:
    """On a laptop a missing tool skips; in CI it must not hide that nothing was tested."""
    try:
        return local.start()
    except ToolMissing as missing:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            raise
        pytest.skip(str(missing))
