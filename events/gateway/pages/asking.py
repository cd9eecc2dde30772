"""Forms ask for what the API's routes ask for, by calling them."""

import datetime as dt

import orjson
from starlette.responses import Response

from events.gateway import command_routes
from events.gateway.command_routes import CancelRequest, CommandResult, RescheduleRequest
from events.gateway.pages.source import Asking
from schemas.command import Command


class RouteCommands:
    """What the pages ask for, as a caller of the API would."""

    async def ask_job(
        self,
        asking: Asking,
        command: Command,
        job_id: str,
        *,
        reason: str = "",
        due: dt.datetime | None = None,
    ) -> str:
        request, caller, key = asking.request, asking.caller, asking.key
        if command is Command.CANCEL:
            return _id(
                await command_routes.cancel(request, caller, job_id, key, CancelRequest(reason=reason))
            )
        if command is Command.RESCHEDULE:
            to = RescheduleRequest(run_at=due)
            return _id(await command_routes.reschedule(request, caller, job_id, to, key))
        return _id(await command_routes.retry(request, caller, job_id, key))

    async def redrive(self, asking: Asking, letter_id: str) -> str:
        return _id(await command_routes.redrive(asking.request, asking.caller, letter_id, asking.key))

    async def ask_schedule(self, asking: Asking, command: Command, schedule: str) -> str:
        return _id(
            await command_routes.ask_schedule(asking.request, asking.caller, command, schedule, asking.key)
        )


def _id(answered: CommandResult | Response) -> str:
    if isinstance(answered, CommandResult):
        return answered.command_id
    return str(orjson.loads(answered.body)["command_id"])
