"""server.properties of the local broker: one node, both roles, data in its own folder."""

from collections.abc import Mapping
from pathlib import Path

HOST = "127.0.0.1"


def server_properties(
    *, port: int, controller_port: int, logs: Path, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Kafka's settings for a single node; `overrides` win, an empty value takes a setting away."""
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(logs),
        # A worker that names a wrong topic should hear it.
        "auto.create.topics.enable": "false",
        # One node holds the only copy of everything.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Fewer files and a faster start than the default 50 partitions.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "4",
        # A first member need not wait for others.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # Index files are pre-allocated, 10 MiB for each segment of each partition.
        "log.index.size.max.bytes": str(1 << 20),
    }
    return {name: value for name, value in (properties | dict(overrides)).items() if value}


def as_text(properties: Mapping[str, str]) -> str:
    """The file's text."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
