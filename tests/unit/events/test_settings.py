"""Settings from the environment: what is taken, what is refused, what the message says."""

import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from events.errors import InvalidSettings
from events.settings import ClientSettings


def test_defaults_reach_a_kafka_on_this_machine() -> None:
    settings = ClientSettings()
    assert (settings.bootstrap_servers, settings.app_id) == ("localhost:9092", "headrace")
    assert settings.kafka_arguments() == {}


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", "a:1,[::1]:9092")
    monkeypatch.setenv("HEADRACE_APP_ID", "mill-2")
    settings = ClientSettings()
    assert (settings.bootstrap_servers, settings.app_id) == ("a:1,[::1]:9092", "mill-2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOOTSTRAP_SERVERS", "localhost"),
        ("BOOTSTRAP_SERVERS", "a:1,b:port"),
        ("BOOTSTRAP_SERVERS", "a:70000"),
        ("BOOTSTRAP_SERVERS", ""),
        ("APP_ID", "two words"),
        ("APP_ID", ""),
        ("SECURITY_PROTOCOL", "TLS"),
        ("SASL_MECHANISM", "NTLM"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"HEADRACE_{name}", value)
    with pytest.raises(InvalidSettings) as refused:
        ClientSettings()
    assert str(refused.value).startswith(f"HEADRACE_{name}={value!r}: ")


def test_settings_do_not_change() -> None:
    settings = ClientSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.app_id = "other"


def test_a_login_needs_name_and_password() -> None:
    with pytest.raises(InvalidSettings, match="needs HEADRACE_SASL_USERNAME and HEADRACE_SASL_PASSWORD"):
        ClientSettings(security_protocol="SASL_PLAINTEXT", sasl_username="mill")


def test_a_login_is_handed_to_clients_and_hidden_elsewhere() -> None:
    settings = ClientSettings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="mill",
        sasl_password="wheel",
    )
    assert settings.kafka_arguments() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "mill",
        "sasl_plain_password": "wheel",
    }
    assert "wheel" not in repr(settings)


def test_a_wrong_password_is_not_shown() -> None:
    with pytest.raises(InvalidSettings, match=r"HEADRACE_SASL_PASSWORD=\(hidden\)"):
        ClientSettings(sasl_password=12345)


def test_tls_verifies_with_the_systems_certificates() -> None:
    context = ClientSettings(security_protocol="SSL").kafka_arguments()["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("name", ["ssl_cafile", "ssl_certfile"])
def test_a_certificate_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing")
    settings = ClientSettings(security_protocol="SSL", **{name: str(file)})
    with pytest.raises(InvalidSettings, match=f"HEADRACE_{name.upper()}={file}"):
        settings.kafka_arguments()
