"""A context as the built-in tasks find it in a worker."""

from pathlib import Path
from typing import Any

import httpx2

from consumers.tasks.equipment import _NAME, Equipment
from consumers.tasks.flight_facts import FactJournal
from consumers.tasks.settings import TaskSettings
from consumers.testing import FakeContext


def equipped(data_dir: Path, *, settings: dict[str, Any] | None = None, **given: Any) -> FakeContext:
    """A fake context whose state holds the equipment; `given` goes to it too."""
    task_settings = TaskSettings(data_dir=data_dir, **(settings or {}))
    equipment = Equipment(
        settings=task_settings,
        http=httpx2.AsyncClient(timeout=task_settings.http_timeout_seconds),
        facts=FactJournal(folder=task_settings.facts_dir),
    )
    return FakeContext(state={_NAME: equipment}, **given)
