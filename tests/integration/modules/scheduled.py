"""Tasks that run at times. The environment tells which schedules there are: a test can change them."""

import asyncio
import os
from pathlib import Path

import orjson

from consumers import Context, cron, task
from tests.integration.modules.raw_log import note


@task
async def tick(ctx: Context, name: str) -> None:
    """Say which time this is."""
    assert ctx.scheduled_at is not None
    note(ctx, "ticked", name=name, scheduled_ms=round(ctx.scheduled_at.timestamp() * 1000))


@task
async def slow(ctx: Context, name: str) -> None:
    """Run until the test allows the end."""
    assert ctx.scheduled_at is not None
    note(ctx, "began", name=name, scheduled_ms=round(ctx.scheduled_at.timestamp() * 1000))
    while not Path(os.environ["MAY_END"]).exists():
        await asyncio.sleep(0.02)
    note(ctx, "ended", name=name)


for name, options in orjson.loads(os.environ["SCHEDULES"]).items():
    chosen = slow if options.pop("slow", False) else tick
    cron(chosen, name=name, args={"name": name}, **options)
