"""What `headrace broker` says, for each state a broker can be in."""

from typing import Any

import pytest
from click.testing import CliRunner

from consumers.cli import broker
from events.broker import BrokerStatus
from events.errors import BrokerUnreachable


class FakeBroker:
    """A broker that is in the state it is told."""

    state = "stopped"

    def __init__(self, *, port: int, **ignored: Any) -> None:
        self.port = port

    def start(self) -> "FakeBroker":
        FakeBroker.state = "running"
        return self

    def stop(self) -> None:
        FakeBroker.state = "stopped"

    def status(self) -> BrokerStatus:
        return BrokerStatus(
            state=FakeBroker.state,
            bootstrap_servers=f"127.0.0.1:{self.port}",
            data_dir="/data",
            engine="java",
            handle="7",
        )


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "LocalBroker", FakeBroker)
    monkeypatch.setattr(FakeBroker, "state", "stopped")


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner(env=environment).invoke(broker.command, list(arguments))


def test_up_status_down() -> None:
    assert run("status").exit_code == 1
    assert run("up").stdout == "Kafka answers at 127.0.0.1:9092 (java, data in /data).\n"
    assert run("status").exit_code == 0
    assert run("down").stdout == "Stopped: no broker runs at 127.0.0.1:9092. Data stay in /data.\n"
    assert run("status").stdout == "No broker runs at 127.0.0.1:9092; `headrace broker up` starts one.\n"


def test_a_silent_broker_is_no_running_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeBroker, "state", "silent")
    status = run("status", "--port", "19092")
    assert (status.exit_code, status.stdout) == (
        1,
        "Kafka at 127.0.0.1:19092 is there (7) but does not answer.\n",
    )


def test_a_given_kafka_goes_first_but_a_port_asks_for_a_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "answers", lambda *args, **kwargs: True)
    given = {"HEADRACE_BOOTSTRAP_SERVERS": "kafka:9092"}
    for name in ("up", "down", "status"):
        assert "HEADRACE_BOOTSTRAP_SERVERS=kafka:9092 is used" in run(name, **given).stdout
    assert FakeBroker.state == "stopped"
    assert run("up", "--port", "19092", **given).exit_code == 0
    assert FakeBroker.state == "running"


@pytest.mark.parametrize("name", ["up", "status"])
def test_a_given_kafka_must_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "answers", lambda *args, **kwargs: False)
    done = run(name, HEADRACE_BOOTSTRAP_SERVERS="kafka:9092")
    assert isinstance(done.exception, BrokerUnreachable)
