from pathlib import Path

import pytest

from consumers.settings import WorkerSettings
from events.errors import InvalidSettings


def test_a_worker_starts_without_any_setting():
    settings = WorkerSettings()
    assert settings.task_modules == ("consumers.tasks",)
    assert settings.state_dir == Path("headrace-state")
    assert settings.faust_credentials() is None
    assert ":" in settings.worker_name


@pytest.mark.parametrize("text", ["a.b,c", " a.b , c ,", '["a.b", "c"]', "['a.b','c']", "[a.b, c]"])
def test_task_modules_are_a_list_with_commas_or_in_json(monkeypatch, text):
    monkeypatch.setenv("HEADRACE_TASK_MODULES", text)
    assert WorkerSettings().task_modules == ("a.b", "c")


def test_task_modules_may_be_none(monkeypatch):
    monkeypatch.setenv("HEADRACE_TASK_MODULES", "")
    assert WorkerSettings().task_modules == ()


def test_settings_come_from_the_environment_and_are_frozen(monkeypatch):
    monkeypatch.setenv("HEADRACE_MAX_JOBS", "7")
    monkeypatch.setenv("HEADRACE_JSON_TOPICS", '{"bare": "bare.type"}')
    settings = WorkerSettings()
    assert (settings.max_jobs, settings.json_topics) == (7, {"bare": "bare.type"})
    with pytest.raises(ValueError, match="frozen"):
        settings.max_jobs = 8


def test_json_topics_may_be_none(monkeypatch):
    monkeypatch.setenv("HEADRACE_JSON_TOPICS", "")
    assert WorkerSettings().json_topics == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("MAX_JOBS", "0"),
        ("DRAIN_SECONDS", "-1"),
        ("DETACH_AFTER_SECONDS", "0"),
        ("SESSION_TIMEOUT_SECONDS", "5"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("REPLICATION_FACTOR", "0"),
        ("JSON_TOPICS", "{"),
        ("JSON_TOPICS", "[]"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"HEADRACE_{name}", value)
    with pytest.raises(InvalidSettings, match=name):
        WorkerSettings()


def test_credentials_follow_the_protocol(monkeypatch):
    monkeypatch.setenv("HEADRACE_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("HEADRACE_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("HEADRACE_SASL_USERNAME", "u")
    monkeypatch.setenv("HEADRACE_SASL_PASSWORD", "p")
    credentials = WorkerSettings().faust_credentials()
    assert (credentials.username, credentials.password) == ("u", "p")
    monkeypatch.setenv("HEADRACE_SECURITY_PROTOCOL", "SSL")
    assert type(WorkerSettings().faust_credentials()).__name__ == "SSLCredentials"
