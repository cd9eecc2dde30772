from pathlib import Path

import pytest

from consumers.tasks.settings import TaskSettings
from events.errors import InvalidSettings


def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TASKS_DATA_DIR", "/data")
    monkeypatch.setenv("HEADRACE_TASKS_SMTP_PASSWORD", "hunter2")
    monkeypatch.setenv("HEADRACE_TASKS_CLEANUP_ROOTS", "/data/tmp, /data/exports,")
    settings = TaskSettings()
    roots = ("/data/reports", "/data/processed", "/data/tmp", "/data/exports")
    assert settings.removable_roots == tuple(map(Path, roots))
    assert "hunter2" not in repr(settings)


def test_a_wrong_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TASKS_SMTP_PORT", "smtp")
    with pytest.raises(InvalidSettings, match="HEADRACE_TASKS_SMTP_PORT='smtp'"):
        TaskSettings()
