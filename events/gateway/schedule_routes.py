"""`GET /schedules`: what workers announce, and how far each schedule is."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from events.gateway.access import needs
from events.gateway.keys import Scope
from events.gateway.parts import Status, parts_of
from events.gateway.problems import EVERYWHERE, documented, problem

router = APIRouter(tags=["schedules"], dependencies=[Depends(needs(Scope.READ))])


class LastOccurrence(BaseModel):
    """What became of the newest time of a schedule. `why` says why it was skipped."""

    scheduled_ms: int | None = None
    outcome: str | None = None
    why: str | None = None
    job_id: str | None = None


class ScheduleView(BaseModel):
    """One schedule. Times are milliseconds since 1970; `next_ms` is null while it is paused or not begun."""

    schedule: str
    task: str | None = None
    cron: str | None = None
    every_seconds: float | None = None
    timezone: str | None = None
    missed: str | None = None
    overlap: str | None = None
    catch_up_seconds: float | None = None
    jitter_seconds: float | None = None
    args: dict[str, Any] = {}
    release: str | None = None
    paused: bool = False
    next_ms: int | None = None
    last_ms: int | None = None
    last_outcome: LastOccurrence | None = None


class Schedules(BaseModel):
    """Every schedule there is, by name."""

    schedules: list[ScheduleView]


@router.get("/schedules", operation_id="list_schedules", summary="Every schedule",
            responses=documented(*EVERYWHERE, "not-ready"))  # fmt: skip
async def list_schedules(request: Request) -> Schedules:
    """With its next and its last run."""
    found = _status(request).schedules()
    return Schedules(schedules=[_view(name, told) for name, told in sorted(found.items())])


@router.get("/schedules/{name:path}", operation_id="show_schedule", summary="One schedule",
            responses=documented(*EVERYWHERE, "unknown-schedule", "not-ready"))  # fmt: skip
async def show_schedule(
    request: Request, name: Annotated[str, Path(min_length=1, max_length=200)]
) -> ScheduleView:
    """With its next and its last run."""
    told = _status(request).schedules().get(name)
    if told is None:
        raise problem("unknown-schedule", f"No worker announces a schedule {name!r:.210}.")
    return _view(name, told)


def _status(request: Request) -> Status:
    status = parts_of(request).status
    if status is None:
        raise problem("not-ready", "This gateway keeps no status of schedules.", retry_after=60)
    return status


def _view(name: str, told: Mapping[str, Any]) -> ScheduleView:
    cursor = told.get("cursor") or {}
    paused = bool(cursor.get("paused"))
    known = {field: told[field] for field in ScheduleView.model_fields if told.get(field) is not None}
    return ScheduleView.model_validate(
        known
        | {
            "schedule": name,
            "paused": paused,
            "next_ms": None if paused else cursor.get("next_ms"),
            "last_ms": cursor.get("last_ms"),
            "last_outcome": cursor.get("last_outcome"),
        }
    )
