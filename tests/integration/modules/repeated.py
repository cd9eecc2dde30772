"""Tasks whose events come more than once."""

import asyncio
import os
from pathlib import Path

from consumers import Context, Retry, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

RELEASE = Path(os.environ["RELEASE"])


@task(on="repeated.settled", topic=TOPIC)
async def settled(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")


@task(on="repeated.parked", topic=TOPIC)
async def parked(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1:
        raise Retry("later", defer=2.0)


@task(on="repeated.in_flight", topic=TOPIC)
async def in_flight(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    while not RELEASE.exists():
        await asyncio.sleep(0.01)
    if event.data.get("retry") and ctx.attempt == 1:
        raise Retry("later", defer=0.1)
