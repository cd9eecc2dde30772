"""What may run the local broker, and which of them does.

A Docker engine if one answers, else Java with Maven's jars. What is missing is said together,
because either one is enough.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from events.broker.record import BrokerRecord
from events.errors import ToolMissing

EngineName = Literal["docker", "java"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One broker to run: its record, its folder, and the settings laid over Kafka's."""

    record: BrokerRecord
    folder: Path
    overrides: Mapping[str, str]


class Engine(Protocol):
    """Runs one Kafka process. Every call is safe when it is already as asked."""

    def start(self, plan: Plan) -> str:
        """Start it and return its handle; it outlives this process. Does not wait for readiness."""

    def alive(self, handle: str) -> bool:
        """Whether the handle is a running (or frozen) broker of ours, and not somebody else's."""

    def stop(self, handle: str) -> None:
        """Shut it down cleanly, by force when it does not obey. Nothing of it runs afterwards."""

    def kill(self, handle: str) -> None:
        """End it as a power cut would."""

    def freeze(self, handle: str) -> None:
        """Stop its clock; connections stay open."""

    def thaw(self, handle: str) -> None:
        """Let a frozen one go on."""

    def log_tail(self, handle: str) -> str:
        """The last lines it wrote."""

    def run_tool(self, handle: str, main_class: str, arguments: Sequence[str]) -> str:
        """Output of one of Kafka's own Java tools. Raises LocalBrokerError when it fails."""

    def erase(self) -> None:
        """Drop the data of a broker that is stopped."""


def choose_engine(
    wanted: Literal["auto", "docker", "java"],
    *,
    docker_answers: Callable[[], bool],
    require_java: Callable[[], object],
) -> EngineName:
    """Docker when an engine answers, else Java. Raises ToolMissing naming everything that was looked for."""
    if wanted != "java" and docker_answers():
        return "docker"
    if wanted == "docker":
        raise ToolMissing("No Docker engine answers, and HEADRACE_BROKER_ENGINE=docker rules out Java.")
    try:
        require_java()
    except ToolMissing as missing:
        looked = "" if wanted == "java" else "No Docker engine answers, and without one "
        raise ToolMissing(
            f"{looked or 'HEADRACE_BROKER_ENGINE=java: '}Kafka needs {missing}.\n"
            "Start Docker, or install Java 17+ and Maven (Debian: apt install default-jre-headless maven), "
            "or set HEADRACE_BOOTSTRAP_SERVERS to a Kafka that runs."
        ) from missing
    return "java"
