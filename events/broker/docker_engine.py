"""Kafka as a container, for machines with a Docker engine and no Java.

The container is started plainly and not as a testcontainer, because it has to outlive this
process. Data live in a volume named after the folder.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from events.broker.docker_client import docker_client
from events.broker.engine import Plan
from events.broker.server_properties import HOST, server_properties
from events.broker.settings import KAFKA_IMAGE
from events.errors import BrokerNotStarted, LocalBrokerError

LABEL = "headrace.broker"
DATA_IN_CONTAINER = "/var/lib/kafka/data"
CONTROLLER_PORT_IN_CONTAINER = 29093
STOP_GRACE_SECONDS = 20


class DockerEngine:
    """Runs the apache/kafka image. The handle is the container id."""

    def __init__(self, *, folder: Path, client: Any = None) -> None:
        self._folder = folder
        self._client = client

    def start(self, plan: Plan) -> str:
        port = plan.record.port
        try:
            container = self._engine.containers.run(
                KAFKA_IMAGE,
                detach=True,
                name=f"headrace-broker-{port}",
                labels={LABEL: str(self._folder)},
                environment=container_environment(plan),
                ports={f"{port}/tcp": (HOST, port)},
                volumes={self._volume: {"bind": DATA_IN_CONTAINER, "mode": "rw"}},
            )
        except self._refused as error:
            raise BrokerNotStarted(f"Docker did not start {KAFKA_IMAGE} on port {port}: {error}") from error
        return str(container.id)

    def alive(self, handle: str) -> bool:
        container = self._container(handle)
        return container is not None and container.status in ("running", "paused", "restarting")

    def stop(self, handle: str) -> None:
        container = self._container(handle)
        if container is None:
            return
        self.thaw(handle)
        container.stop(timeout=STOP_GRACE_SECONDS)
        container.remove(force=True)

    def kill(self, handle: str) -> None:
        container = self._container(handle)
        if container is not None:
            container.remove(force=True)

    def freeze(self, handle: str) -> None:
        container = self._container(handle)
        if container is not None and container.status == "running":
            container.pause()

    def thaw(self, handle: str) -> None:
        container = self._container(handle)
        if container is not None and container.status == "paused":
            container.unpause()

    def log_tail(self, handle: str) -> str:
        container = self._container(handle)
        return container.logs(tail=30).decode(errors="replace").strip() if container is not None else ""

    def run_tool(self, handle: str, main_class: str, arguments: Sequence[str]) -> str:
        container = self._container(handle)
        if container is None:
            raise LocalBrokerError(f"{main_class}: the container {handle[:12]} is gone.")
        code, output = container.exec_run(["/opt/kafka/bin/kafka-run-class.sh", main_class, *arguments])
        text = str(output.decode(errors="replace"))
        if code != 0:
            raise LocalBrokerError(f"{main_class} ended with {code}:\n{text}")
        return text

    def erase(self) -> None:
        with suppress(self._absent):
            self._engine.volumes.get(self._volume).remove(force=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _volume(self) -> str:
        return "headrace-" + hashlib.sha256(str(self._folder).encode()).hexdigest()[:12]

    @property
    def _engine(self) -> Any:
        if self._client is None:
            self._client = docker_client()
        return self._client

    @property
    def _absent(self) -> type[Exception]:
        from docker.errors import NotFound

        return NotFound  # type: ignore[no-any-return]

    @property
    def _refused(self) -> type[Exception]:
        from docker.errors import DockerException

        return DockerException  # type: ignore[no-any-return]

    def _container(self, handle: str) -> Any:
        """The container, when it is there and is the one of this folder."""
        if not handle:
            return None
        try:
            container = self._engine.containers.get(handle)
        except self._absent:
            return None
        return container if container.labels.get(LABEL) == str(self._folder) else None


def container_environment(plan: Plan) -> Mapping[str, str]:
    """The image reads server.properties from KAFKA_* variables: dots become underscores."""
    port = plan.record.port
    inside = {
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:{CONTROLLER_PORT_IN_CONTAINER}",
        # The image formats its storage for static voters.
        "controller.quorum.voters": f"1@{HOST}:{CONTROLLER_PORT_IN_CONTAINER}",
        "controller.quorum.bootstrap.servers": "",
    }
    properties = server_properties(
        port=port,
        controller_port=CONTROLLER_PORT_IN_CONTAINER,
        logs=Path(DATA_IN_CONTAINER),
        overrides={**inside, **plan.overrides},
    )
    environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    return {"CLUSTER_ID": plan.record.cluster_id, **environment}
