"""Tell an airline's webhook about a cancelled flight.

The call is a step: once it is journaled, no later attempt repeats it. The step's key goes along as
Idempotency-Key, which closes the gap between the call and the journal with airlines that honour it.
"""

from typing import Any

from consumers import Context, Discard, Exponential, Step, task
from consumers.tasks.equipment import Equipment, equipment_of
from consumers.tasks.exchange import Call, exchange
from consumers.tasks.settings import PREFIX
from schemas.flights import FlightCancelled


@task(on=FlightCancelled, max_tries=6, backoff=Exponential(base=2, cap=300), timeout=60)
async def call_airline(ctx: Context, event: FlightCancelled) -> dict[str, Any]:
    """Post the cancelled flight to HEADRACE_TASKS_WEBHOOK_URL; discarded where none is set."""
    equipment = equipment_of(ctx)
    if not equipment.settings.webhook_url:
        raise Discard(f"{PREFIX}WEBHOOK_URL is not set")
    url = equipment.settings.webhook_url.replace("{carrier}", event.carrier)
    answer: dict[str, Any] = await ctx.step("webhook", _post, equipment, url, event)
    return answer


async def _post(equipment: Equipment, url: str, event: FlightCancelled, *, step: Step) -> dict[str, Any]:
    call = Call(method="POST", url=url, key=step.key, json=event.model_dump(mode="json"))
    return await exchange(equipment.http, call, longest_wait_seconds=equipment.settings.longest_wait_seconds)
