"""How the demo ends: what it prints, with which exit code, and for whom it stops."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.cli import demo as module
from consumers.demo.conductor import Ending
from consumers.demo.summary import Sum

REPORT = Path("2013-07-10.html")
GOOD = Sum("jobs", 2, {"completed": 2}, "ledger")
BAD = Sum("jobs", 2, {"completed": 1}, "ledger")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command changes what signals do; later tests want what was."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(monkeypatch: pytest.MonkeyPatch, conduct: Any) -> tuple[int, str]:
    """Exit code and output of a demo whose play is `conduct`."""

    @contextmanager
    def bare_stage(folder: Path, say: Any, gateway_port: Any) -> Iterator[None]:
        yield None

    monkeypatch.setattr(module, "stage", bare_stage)
    monkeypatch.setattr(module, "read_flights", lambda day, count: [])
    monkeypatch.setattr(module, "conduct", conduct)
    result = CliRunner().invoke(module.command, ["--plain"])
    return result.exit_code, result.output


@pytest.mark.parametrize(("sums", "code"), [([GOOD, GOOD], 0), ([GOOD, BAD], 1)])
def test_a_sum_that_does_not_hold_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, sums: list[Sum], code: int
) -> None:
    async def conduct(*stage: object, speed: float) -> Ending:
        assert speed == 1800
        return Ending(sums, [REPORT])

    exit_code, output = run(monkeypatch, conduct)
    assert exit_code == code
    assert f"Report: {REPORT}" in output
    assert ("does not add up" in output) is bool(code)


def test_sigterm_ends_it_like_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conduct(*stage: object, speed: float) -> Ending:
        os.kill(os.getpid(), signal.SIGTERM)
        raise KeyboardInterrupt

    exit_code, output = run(monkeypatch, conduct)
    assert exit_code == module.INTERRUPTED
    assert "Interrupted; everything is stopped." in output


def test_it_can_be_ended_where_ctrl_c_was_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conduct(*stage: object, speed: float) -> Ending:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(5)  # cancelled at once
        raise AssertionError("the signal was ignored")

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_code, output = run(monkeypatch, conduct)
    assert exit_code == module.INTERRUPTED
    assert "Interrupted; everything is stopped." in output
