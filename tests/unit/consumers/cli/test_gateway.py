from click.testing import CliRunner

from consumers.cli.gateway import command
from events.errors import InvalidSettings
from events.gateway.keys import ApiKey, KeyRing, Scope


def test_a_new_key_is_shown_once_and_its_line_lets_it_in() -> None:
    result = CliRunner().invoke(command, ["keys", "new", "--scopes", "submit, read", "--id", "ci"])
    assert result.exit_code == 0, result.output
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    caller = KeyRing([ApiKey.parse(lines["line"])]).caller(lines["key"])
    assert caller is not None
    assert (caller.id, caller.scopes) == ("ci", {Scope.SUBMIT, Scope.READ})
    assert lines["key"] not in lines["line"]


def test_an_unknown_scope_says_so() -> None:
    result = CliRunner().invoke(command, ["keys", "new", "--scopes", "admin"])
    assert isinstance(result.exception, InvalidSettings)
    assert "admin" in str(result.exception)
