"""Docker if an engine answers, else Java; what is missing is said together."""

import pytest

from events.broker import engines
from events.broker.docker_client import listens
from events.broker.docker_engine import DockerEngine
from events.broker.engine import choose_engine
from events.broker.java import jars_folder
from events.broker.java_engine import JavaEngine
from events.broker.settings import BrokerSettings
from events.errors import ToolMissing


def nothing() -> None:
    """A machine with a fit Java."""


def no_java() -> None:
    raise ToolMissing("Java 17 or newer: no `java` on PATH")


def never() -> bool:
    raise AssertionError("not to be asked")


@pytest.mark.parametrize(
    ("wanted", "docker", "chosen"),
    [("auto", True, "docker"), ("auto", False, "java"), ("docker", True, "docker")],
)
def test_docker_goes_first(wanted: str, docker: bool, chosen: str) -> None:
    assert choose_engine(wanted, docker_answers=lambda: docker, require_java=nothing) == chosen


def test_java_can_be_asked_for() -> None:
    assert choose_engine("java", docker_answers=never, require_java=nothing) == "java"


def test_everything_missing_is_said_at_once() -> None:
    with pytest.raises(ToolMissing) as missing:
        choose_engine("auto", docker_answers=lambda: False, require_java=no_java)
    for part in (
        "No Docker engine answers",
        "no `java` on PATH",
        "apt install",
        "HEADRACE_BOOTSTRAP_SERVERS",
    ):
        assert part in str(missing.value)


def test_docker_alone_that_is_missing_is_refused() -> None:
    with pytest.raises(ToolMissing, match="HEADRACE_BROKER_ENGINE=docker"):
        choose_engine("docker", docker_answers=lambda: False, require_java=never)


def test_engines_by_name(tmp_path) -> None:
    settings = BrokerSettings()
    assert isinstance(engines.engine_for("docker", folder=tmp_path, settings=settings), DockerEngine)
    assert isinstance(engines.engine_for("java", folder=tmp_path, settings=settings), JavaEngine)


def test_jars_that_are_there_need_no_maven(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(engines, "find_java", lambda home: "java")
    monkeypatch.setattr("shutil.which", lambda *args, **kwargs: None)
    settings = BrokerSettings(broker_cache=tmp_path)
    with pytest.raises(ToolMissing, match="no `mvn`"):
        engines.require_java(settings)
    jars_folder(tmp_path).mkdir(parents=True)
    engines.require_java(settings)


def test_an_engine_elsewhere_is_not_ours(tmp_path) -> None:
    assert not listens(f"unix://{tmp_path}/none.sock")
    assert not listens("tcp://kafka.example:2375")
    assert not listens("ssh://kafka.example")
    assert not listens("tcp://127.0.0.1:1")
