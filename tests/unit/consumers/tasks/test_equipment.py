from pathlib import Path
from typing import Any

import pytest

from consumers.loading import load
from consumers.tasks.equipment import close_equipment, equipment_of, open_equipment
from consumers.testing import FakeContext


async def test_opened_from_the_environment_and_closed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TASKS_DATA_DIR", "/data")
    state: dict[str, Any] = {}
    await open_equipment(state)
    equipment = equipment_of(FakeContext(state=state))
    assert equipment.settings.facts_dir == Path("/data/facts")
    await close_equipment(state)
    await close_equipment(state)
    assert equipment.http.is_closed


def test_all_of_them_load() -> None:
    registry = load(("consumers.tasks",))
    registry.check()
    assert set(registry.tasks) >= {
        "call_airline", "call_api", "cleanup_files", "count_flight", "notify_delay", "process_chunk",
        "process_file", "send_email", "write_report",
    }  # fmt: skip
    assert "flights" in registry.topics()
    assert open_equipment in registry.startup
    assert close_equipment in registry.shutdown
