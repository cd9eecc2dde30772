"""Tasks that run longer than they may."""

import asyncio
import os
import time
from pathlib import Path

from consumers import Context, Fixed, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

RELEASE = Path(os.environ.get("RELEASE", "/nonexistent"))


@task(on="overdue.once", topic=TOPIC, timeout=0.3, backoff=Fixed(0.1))
async def late_once(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1:
        await sleep_long(ctx)


@task(on="overdue.always", topic=TOPIC, timeout=0.3, max_tries=2, backoff=Fixed(0.1))
async def late_always(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    await sleep_long(ctx)


@task(on="overdue.stubborn", topic=TOPIC, timeout=0.3, max_tries=1)
async def stubborn(ctx: Context, event: CloudEvent) -> str:
    """Goes on after it was told to stop, and returns as if nothing had been."""
    note(ctx, "started")
    try:
        await sleep_long(ctx)
    except asyncio.CancelledError:
        return "not counted"
    return "never"


async def sleep_long(ctx: Context) -> None:
    try:
        await asyncio.sleep(600)
    finally:
        note(ctx, "stopped")


@task(on="overdue.thread", topic=TOPIC, timeout=0.3, max_tries=2, backoff=Fixed(0.1))
def in_thread(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1 and event.data.get("hold"):
        while not RELEASE.exists():
            time.sleep(0.01)
        note(ctx, "stopped", cancelled=ctx.cancelled)


@task(on="overdue.beside", topic=TOPIC)
async def beside(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
