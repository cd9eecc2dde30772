"""A task whose jobs are equal when their orders are, wherever the events come from."""

from consumers import Context, Retry, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note


@task(on="order.*", topic=TOPIC, idempotency_key=lambda event: event.data["order"])
async def bill(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started", order=event.data["order"], type=event.type, amount=event.data["amount"])
    if event.data.get("retry") and ctx.attempt == 1:
        raise Retry("later", defer=0.1)


@task(on="order.placed", topic=TOPIC)
async def see(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
