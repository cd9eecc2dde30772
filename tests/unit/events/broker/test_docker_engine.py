"""The container: how it is started, that only our own is touched, and that it can be broken."""

from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from events.broker.docker_engine import DockerEngine, container_environment
from events.broker.engine import Plan
from events.broker.record import BrokerRecord
from events.errors import BrokerNotStarted, LocalBrokerError

FOLDER = Path("/data/broker-19092")
RECORD = BrokerRecord(port=19092, controller_port=5, engine="docker", cluster_id="c" * 22)
PLAN = Plan(record=RECORD, folder=FOLDER, overrides={"num.partitions": "3"})


class FakeContainer:
    def __init__(self, labels: dict[str, str]) -> None:
        self.id = "abc"
        self.labels = labels
        self.status = "running"
        self.calls: list[str] = []

    def stop(self, timeout: int) -> None:
        self.calls.append("stop")

    def remove(self, force: bool) -> None:
        self.calls.append("remove")

    def pause(self) -> None:
        self.status = "paused"

    def unpause(self) -> None:
        self.status = "running"

    def logs(self, tail: int) -> bytes:
        return b"it said\n"

    def exec_run(self, command: list[str]) -> tuple[int, bytes]:
        return int("fail" in command), " ".join(command).encode()


class FakeDocker:
    """The three parts of a Docker client that are used."""

    def __init__(self) -> None:
        self.containers = self
        self.volumes = self
        self.started: dict[str, Any] = {}
        self.container: FakeContainer | None = None
        self.removed: list[str] = []

    def run(self, image: str, **options: Any) -> FakeContainer:
        if options["name"] == "headrace-broker-1":
            raise APIError("port is already allocated")
        self.started = {"image": image, **options}
        self.container = FakeContainer(options["labels"])
        return self.container

    def get(self, name: str) -> Any:
        if name.startswith("headrace-"):
            self.removed.append(name)
            raise NotFound("no volume")
        if self.container is None or name != self.container.id:
            raise NotFound("no container")
        return self.container


@pytest.fixture
def docker() -> FakeDocker:
    return FakeDocker()


@pytest.fixture
def engine(docker: FakeDocker) -> DockerEngine:
    return DockerEngine(folder=FOLDER, client=docker)


def test_the_port_is_published_on_this_machine_only(engine: DockerEngine, docker: FakeDocker) -> None:
    assert engine.start(PLAN) == "abc"
    assert docker.started["image"] == "apache/kafka:4.4.0"
    assert docker.started["ports"] == {"19092/tcp": ("127.0.0.1", 19092)}
    assert docker.started["detach"]


def test_settings_travel_as_variables() -> None:
    environment = container_environment(PLAN)
    assert environment["CLUSTER_ID"] == RECORD.cluster_id
    assert environment["KAFKA_NUM_PARTITIONS"] == "3"
    assert environment["KAFKA_LISTENERS"] == "PLAINTEXT://:19092,CONTROLLER://:29093"
    assert environment["KAFKA_ADVERTISED_LISTENERS"].startswith("PLAINTEXT://127.0.0.1:19092,")
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@127.0.0.1:29093"
    assert "KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS" not in environment
    assert environment["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"


def test_a_refusal_is_told(engine: DockerEngine) -> None:
    taken = Plan(record=RECORD.model_copy(update={"port": 1}), folder=FOLDER, overrides={})
    with pytest.raises(BrokerNotStarted, match="port is already allocated"):
        engine.start(taken)


def test_it_freezes_thaws_and_stops(engine: DockerEngine, docker: FakeDocker) -> None:
    handle = engine.start(PLAN)
    assert docker.container is not None
    engine.freeze(handle)
    assert docker.container.status == "paused"
    assert engine.alive(handle)
    engine.stop(handle)
    assert docker.container.status == "running"
    assert docker.container.calls == ["stop", "remove"]
    engine.kill(handle)
    assert docker.container.calls[-1] == "remove"


def test_somebody_elses_container_is_left_alone(engine: DockerEngine, docker: FakeDocker) -> None:
    docker.container = FakeContainer({"headrace.broker": "/other"})
    for action in (engine.stop, engine.kill, engine.freeze, engine.thaw):
        action("abc")
    assert docker.container.calls == []
    assert not engine.alive("abc")
    assert not engine.alive("")
    assert engine.log_tail("abc") == ""
    with pytest.raises(LocalBrokerError, match="is gone"):
        engine.run_tool("abc", "kafka.Tool", [])


def test_tools_and_logs(engine: DockerEngine) -> None:
    handle = engine.start(PLAN)
    assert engine.log_tail(handle) == "it said"
    assert engine.run_tool(handle, "kafka.Tool", ["--help"]).endswith("kafka.Tool --help")
    with pytest.raises(LocalBrokerError, match="ended with 1"):
        engine.run_tool(handle, "kafka.Tool", ["fail"])


def test_data_that_are_gone_are_erased(docker: FakeDocker, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    DockerEngine(folder=folder, client=docker).erase()
    assert not folder.exists()
    assert len(docker.removed) == 1
