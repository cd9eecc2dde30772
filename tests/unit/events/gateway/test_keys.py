from pathlib import Path

import pytest

from events.errors import InvalidSettings
from events.gateway.keys import ApiKey, KeyRing, Scope, load_keys, new_key
from events.gateway.settings import GatewaySettings, is_loopback


def test_a_new_key_is_known_by_its_line_alone() -> None:
    secret, key = new_key([Scope.READ, Scope.SUBMIT], id="ci")
    assert secret not in key.line
    ring = KeyRing([ApiKey.parse(key.line)])
    caller = ring.caller(secret)
    assert caller is not None
    assert (caller.id, caller.scopes) == ("ci", {Scope.READ, Scope.SUBMIT})
    assert ring.caller(secret + "x") is None
    assert ring.caller("") is None
    assert ring.caller("\udcff") is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("one", "id:scope"),
        ("a b:read:" + "0" * 64, "no id"),
        ("anonymous:read:" + "0" * 64, "no id"),
        ("ci:read:" + "0" * 63, "no SHA-256"),
        ("ci:write:" + "0" * 64, "scopes are read, submit, operate"),
    ],
)
def test_a_wrong_line_says_which_part(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ApiKey.parse(line)


def test_keys_come_from_settings_and_file(tmp_path: Path) -> None:
    _, one = new_key([Scope.READ], id="one")
    _, two = new_key([Scope.OPERATE], id="two")
    path = tmp_path / "keys"
    path.write_text(f"# keys\n\n{two.line}\n")
    settings = GatewaySettings(gateway_api_keys=(one.line,), gateway_api_keys_file=path)
    ring = load_keys(settings)
    assert [caller and caller.id for caller in (ring.by_id("one"), ring.by_id("two"), ring.by_id("x"))] == [
        "one",
        "two",
        None,
    ]
    path.write_text(one.line)
    with pytest.raises(InvalidSettings, match="twice"):
        load_keys(settings)


def test_an_empty_file_is_no_open_door(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# nothing yet\n")
    with pytest.raises(InvalidSettings, match="holds no key"):
        load_keys(GatewaySettings(gateway_api_keys_file=path))
    path.unlink()
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load_keys(GatewaySettings(gateway_api_keys_file=path))


def test_without_keys_only_this_machine_is_served() -> None:
    with pytest.raises(InvalidSettings, match="headrace gateway keys new"):
        GatewaySettings(gateway_host="0.0.0.0")
    assert GatewaySettings(gateway_host="::1").gateway_host == "::1"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_GATEWAY_API_KEYS", f"a:read:{'0' * 64}, b:submit:{'1' * 64}")
    monkeypatch.setenv("HEADRACE_GATEWAY_MAX_DEPTH", '{"*/low": 5}')
    settings = GatewaySettings()
    assert len(settings.gateway_api_keys) == 2
    assert settings.gateway_max_depth == {"*/low": 5}
    monkeypatch.setenv("HEADRACE_GATEWAY_EVENT_TOPICS", "orders")
    with pytest.raises(InvalidSettings, match="HEADRACE_GATEWAY_EVENT_TOPICS"):
        GatewaySettings()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
