"""Schedules: when they ran, when they run next, and a hand on them."""

from typing import Final

from starlette.responses import Response

from events.gateway.pages.job import answered, notice
from events.gateway.pages.visit import Visit
from schemas.command import Command

PATH: Final = "/ui/schedules"


async def show(visit: Visit) -> Response:
    """Every schedule, by name."""
    schedules = sorted(await visit.source.schedules(), key=lambda line: line.name)
    return visit.page("schedules.html", schedules=schedules, notice=await notice(visit))


async def pause(visit: Visit) -> Response:
    return await _ask(visit, Command.PAUSE_SCHEDULE)


async def resume(visit: Visit) -> Response:
    return await _ask(visit, Command.RESUME_SCHEDULE)


async def run_now(visit: Visit) -> Response:
    return await _ask(visit, Command.RUN_SCHEDULE)


async def _ask(visit: Visit, command: Command) -> Response:
    asked = visit.commands.ask_schedule(visit.asking(), command, visit.named("name"))
    return visit.go(PATH, command=await answered(asked))
