"""Processes are ended whatever state they are in, and never by an id alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from events.broker import process

MARK = "/somewhere/server.properties"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WILLING = "import time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    children: list[subprocess.Popen[str]] = []
    yield children
    for child in children:
        child.kill()
        child.communicate()


def start(started: list["subprocess.Popen[str]"], program: str) -> int:
    child = subprocess.Popen([sys.executable, "-c", program, MARK], stdout=subprocess.PIPE, text=True)
    started.append(child)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    return child.pid


def test_a_process_is_ours_by_its_last_argument(started: list["subprocess.Popen[str]"]) -> None:
    pid = start(started, WILLING)
    assert process.appeared(pid, MARK, within_seconds=5)
    assert process.is_ours(pid, MARK)
    assert not process.is_ours(pid, "/elsewhere" + MARK)
    assert not process.is_ours(os.getpid(), MARK)


@pytest.mark.parametrize("program", [WILLING, STUBBORN])
@pytest.mark.parametrize("frozen", [False, True])
def test_nothing_is_left_after_the_end(
    started: list["subprocess.Popen[str]"], program: str, frozen: bool
) -> None:
    pid = start(started, program)
    if frozen:
        process.send(pid, signal.SIGSTOP)
    process.end(pid, grace_seconds=2 if program is WILLING else 0.2)
    assert not process.lives(pid)
    assert process.command_line(pid) == ""


def test_one_that_is_gone_is_no_error(started: list["subprocess.Popen[str]"]) -> None:
    pid = start(started, WILLING)
    process.kill(pid, grace_seconds=5)
    process.end(pid, grace_seconds=1)
    assert not process.appeared(pid, MARK, within_seconds=0)


def test_one_that_stays_is_told(started: list["subprocess.Popen[str]"]) -> None:
    pid = start(started, WILLING)
    assert not process.gone(pid, within_seconds=0)
