"""Tasks that do as their event says, and write down when an attempt starts and ends.

`gate`: wait until that file exists; `seconds`: take so long; `failures`: fail so many attempts, `defer`
seconds apart; `publish`: outputs as [topic, id, bytes]; `steps`: so many of them; `result`: what to return.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from consumers import Context, Retry, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note


async def follow(ctx: Context, event: CloudEvent) -> Any:
    wants = event.data
    note(ctx, "started", key=ctx.key)
    try:
        while "gate" in wants and not Path(wants["gate"]).exists():
            await asyncio.sleep(0.02)
        await asyncio.sleep(wants.get("seconds", 0))
        if ctx.attempt <= wants.get("failures", 0):
            raise Retry("as asked", defer=wants.get("defer", 0.1))
        for number in range(wants.get("steps", 0)):
            await ctx.step(f"step-{number}", note, ctx, "effect")
        for topic, id, size in wants.get("publish", ()):
            output = CloudEvent(type="steer.made", source="/steered", id=id, data={"filler": "x" * size})
            ctx.publish(output, topic=topic)
    finally:
        note(ctx, "ended", key=ctx.key)
    return wants.get("result")


@task(on="steer.keyed", topic=TOPIC)
async def keyed(ctx: Context, event: CloudEvent) -> Any:
    return await follow(ctx, event)


@task(on="steer.loose", topic=TOPIC, order="none")
async def loose(ctx: Context, event: CloudEvent) -> Any:
    return await follow(ctx, event)


@task(on="steer.limited", topic=TOPIC, order="none", max_jobs=2)
async def limited(ctx: Context, event: CloudEvent) -> Any:
    return await follow(ctx, event)


@task(on="steer.brief", topic=TOPIC, order="none", dedupe_ttl=2, result_ttl=2)
async def brief(ctx: Context, event: CloudEvent) -> Any:
    return await follow(ctx, event)


@task(on="steer.blocking", topic=TOPIC, timeout=None)
def blocking(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    time.sleep(600)
