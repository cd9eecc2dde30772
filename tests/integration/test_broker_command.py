"""`headrace broker`: several side by side, up twice is up once, down leaves no process behind."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from events.broker import process
from events.broker.ports import free_port
from events.errors import BrokerNotStarted

Headrace = Callable[..., "subprocess.CompletedProcess[str]"]
PROGRAM = [sys.executable, "-c", "from consumers.cli import main; main()"]


@pytest.fixture
def headrace(broker: str, tmp_path: Path) -> Iterator[Headrace]:
    """The command as a process of its own; `broker` is asked for so that a missing Java skips."""
    ports = []

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        if "--port" in arguments:
            ports.append(arguments[arguments.index("--port") + 1])
        return subprocess.run(
            [*PROGRAM, "broker", *arguments],
            env={**os.environ, "HEADRACE_BROKER_DATA": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    yield run
    for port in set(ports):
        run("down", "--port", port)


def _json(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_side_by_side_come_and_go(headrace: Headrace) -> None:
    first, second = str(free_port()), str(free_port())
    one = _json(headrace("up", "--port", first, "--json"))
    two = _json(headrace("up", "--port", second, "--json"))
    assert one["state"] == two["state"] == "running"
    assert one["data_dir"] != two["data_dir"]
    assert _json(headrace("up", "--port", first, "--json")) == one

    assert _json(headrace("down", "--port", first, "--json"))["state"] == "stopped"
    assert not process.lives(int(one["handle"]))
    assert headrace("status", "--port", first).returncode == 1
    assert _json(headrace("status", "--port", second, "--json")) == two
    assert _json(headrace("down", "--port", second, "--json"))["state"] == "stopped"
    assert not process.lives(int(two["handle"]))


def test_a_process_id_that_is_someone_elses_is_left_alone(headrace: Headrace, tmp_path: Path) -> None:
    port = str(free_port())
    folder = tmp_path / f"broker-{port}"
    folder.mkdir()
    record = {"port": int(port), "controller_port": 1, "engine": "java", "handle": str(os.getpid())}
    (folder / "broker.json").write_text(json.dumps(record))
    assert headrace("status", "--port", port).returncode == 1
    assert _json(headrace("down", "--port", port, "--json"))["state"] == "stopped"


def test_a_given_kafka_is_used_and_nothing_started(headrace: Headrace, broker: str) -> None:
    up = headrace("up", HEADRACE_BOOTSTRAP_SERVERS=broker)
    assert (up.returncode, up.stderr) == (0, "")
    assert up.stdout == f"HEADRACE_BOOTSTRAP_SERVERS={broker} is used; no local broker is touched.\n"

    nobody = f"127.0.0.1:{free_port()}"
    silent = headrace("up", HEADRACE_BOOTSTRAP_SERVERS=nobody)
    assert silent.returncode == 1
    assert f"No Kafka answers at HEADRACE_BOOTSTRAP_SERVERS={nobody}" in silent.stderr


def test_settings_kafka_refuses_are_told_with_its_own_words(own_broker: Callable[..., object]) -> None:
    with pytest.raises(BrokerNotStarted, match=r"(?s)num\.io\.threads"):
        own_broker(overrides={"num.io.threads": "many"})


def test_a_port_in_use_is_refused_with_its_holder(headrace: Headrace) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        refused = headrace("up", "--port", port)
    assert refused.returncode == 1
    assert f"Port {port} is in use by: " in refused.stderr
    assert "another port with --port" in refused.stderr
