"""The two engines by name."""

from pathlib import Path

from events.broker.docker_client import docker_answers
from events.broker.docker_engine import DockerEngine
from events.broker.engine import Engine, EngineName, choose_engine
from events.broker.java import find_java, find_maven, jars_folder
from events.broker.java_engine import JavaEngine
from events.broker.settings import BrokerSettings


def pick_engine(settings: BrokerSettings) -> EngineName:
    """The engine for a new broker on this machine. Raises ToolMissing."""
    return choose_engine(
        settings.broker_engine, docker_answers=docker_answers, require_java=lambda: require_java(settings)
    )


def engine_for(name: EngineName, *, folder: Path, settings: BrokerSettings) -> Engine:
    """The engine of that name, for the broker in that folder."""
    if name == "docker":
        return DockerEngine(folder=folder)
    return JavaEngine(folder=folder, settings=settings)


def require_java(settings: BrokerSettings) -> None:
    """Raises ToolMissing unless a fit Java is here, and Maven or the jars it would fetch."""
    find_java(settings.java_home)
    if not jars_folder(settings.broker_cache).is_dir():
        find_maven()
