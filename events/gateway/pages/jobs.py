"""Lists of jobs."""

from typing import Any, Final

from starlette.responses import Response

from events.gateway.pages.payloads import shorten
from events.gateway.pages.source import JobFilter, JobsPage
from events.gateway.pages.times import milliseconds, read_time
from events.gateway.pages.visit import Visit
from schemas.job import JobState

PAGE_JOBS: Final = 50
_TEXTS: Final = ("task", "event_id", "parent", "root", "schedule")
_TIMES: Final = ("since", "until")
_FIELDS: Final = (*_TEXTS, "state", *_TIMES)
_MAX_CHARACTERS: Final = 400


async def show(visit: Visit) -> Response:
    """The jobs that pass the filter, newest first, a page at a time."""
    given = {name: visit.asked(name)[:_MAX_CHARACTERS] for name in _FIELDS}
    errors: dict[str, str] = {}
    wanted = _filter(given, errors)
    found = JobsPage((), None)
    if not errors:
        found = await visit.source.jobs(wanted, limit=PAGE_JOBS, cursor=visit.asked("cursor") or None)
    return visit.page(
        "jobs.html",
        status=422 if errors else 200,
        found=found,
        given=given,
        errors=errors,
        is_filtered=any(given.values()),
        is_first=not visit.asked("cursor"),
        tasks=await visit.source.task_names(),
    )


def _filter(given: dict[str, str], errors: dict[str, str]) -> JobFilter:
    """What the fields ask for; what cannot be read goes to `errors` by its field."""
    read: dict[str, Any] = {name: given[name] or None for name in _TEXTS}
    if given["state"]:
        try:
            read["state"] = JobState(given["state"])
        except ValueError:
            errors["state"] = f"There is no state {shorten(given['state'], 40)!r}."
    for name in _TIMES:
        try:
            read[f"{name}_ms"] = milliseconds(read_time(given[name]))
        except (ValueError, OverflowError):
            errors[name] = f"{shorten(given[name], 40)!r} is no date and time like 2026-03-01T14:30."
    return JobFilter(**read)
