"""The command line as a whole: what help imports, and how errors end."""

import subprocess
import sys
import types

import click
import pytest

from consumers import cli
from consumers.errors import BootError, ConsumersError
from events.errors import BrokerUnreachable, InvalidSettings


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code


def test_help_lists_every_command_and_imports_none() -> None:
    program = (
        "import sys; from consumers.cli import command\n"
        "from click.testing import CliRunner\n"
        "print(CliRunner().invoke(command, ['--help']).output)\n"
        "print([name for name in sys.modules if name.startswith('consumers.cli.')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert shown[-1] == "[]"
    for name in cli.COMMANDS:
        assert any(line.startswith(f"  {name} ") for line in shown)


def test_an_unknown_command_is_wrong_use() -> None:
    assert ended("brokr") == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidSettings("HEADRACE_X=1: no"), 2),
        (BootError("tasks.py: no"), 2),
        (BrokerUnreachable("nobody answers"), 1),
        (ConsumersError("no"), 1),
    ],
)
def test_our_errors_are_one_message(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setitem(sys.modules, "consumers.cli.lag", types.SimpleNamespace(command=failing))
    assert ended("lag") == code
    assert capsys.readouterr().err == f"headrace: {error}\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise KeyError("bug")

    monkeypatch.setitem(sys.modules, "consumers.cli.lag", types.SimpleNamespace(command=failing))
    with pytest.raises(KeyError, match="bug"):
        cli.main(["lag"])
