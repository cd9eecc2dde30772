"""Tasks on two topics, each with its own state, and one that hops from either to the jobs."""

import os

from consumers import Context, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

OTHER_TOPIC = os.environ["OTHER_TOPIC"]


@task(on="narrow.happened", topic=TOPIC)
async def narrow(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1 and event.data.get("fail"):
        raise RuntimeError("as asked")
    ctx.publish(CloudEvent(type="wide.happened", source="/narrow", data={}), topic=OTHER_TOPIC)


@task(on="wide.happened", topic=OTHER_TOPIC)
async def wide(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")


@task(on="wide.happened", topic=OTHER_TOPIC, idempotency_key=lambda event: event.id)
async def hopped(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
