"""What the built-in tasks of a worker share: settings, one HTTP client, the journal of facts."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from consumers import Context, on_shutdown, on_startup
from consumers.tasks.flight_facts import FactJournal
from consumers.tasks.settings import TaskSettings

_NAME: Final = "headrace.tasks"


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything a built-in task may use besides its context."""

    settings: TaskSettings
    http: httpx2.AsyncClient
    facts: FactJournal


@on_startup
async def open_equipment(state: MutableMapping[str, Any]) -> None:
    """Read the settings and make the parts; nothing is connected yet. Raises InvalidSettings."""
    settings = TaskSettings()
    state[_NAME] = Equipment(
        settings=settings,
        http=httpx2.AsyncClient(timeout=settings.http_timeout_seconds),
        facts=FactJournal(folder=settings.facts_dir),
    )


@on_shutdown
async def close_equipment(state: MutableMapping[str, Any]) -> None:
    """Close the connections. Safe twice."""
    equipment: Equipment | None = state.pop(_NAME, None)
    if equipment:
        await equipment.http.aclose()


def equipment_of(ctx: Context) -> Equipment:
    """The parts that `open_equipment` put into the worker's state."""
    equipment: Equipment = ctx.state[_NAME]
    return equipment
