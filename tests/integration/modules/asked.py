"""Plain tasks that wait at gates, which are files, so that a test can meet them in every state."""

import asyncio
import time
from pathlib import Path
from typing import Any

from consumers import Context, Discard, Fail, Retry, task
from tests.integration.modules.raw_log import note


@task
async def echo(ctx: Context, value: Any = None) -> Any:
    note(ctx, "started")
    return value


@task(max_tries=3, order="key")
async def wait(ctx: Context, gate: str) -> str:
    note(ctx, "started")
    while not Path(gate).exists():
        await asyncio.sleep(0.02)
    return "through"


@task
def wait_in_thread(ctx: Context, gate: str, looks: bool = True) -> str:
    note(ctx, "started")
    while not Path(gate).exists() and not (looks and ctx.cancelled):
        time.sleep(0.02)
    return "through"


@task
async def report(ctx: Context, gate: str) -> str:
    for done in range(1, 101):
        ctx.progress(done, 100, f"row {done}")
    note(ctx, "started")
    while not Path(gate).exists():
        await asyncio.sleep(0.02)
    ctx.progress(100, 100, "all")
    return "reported"


@task(max_tries=2)
async def end(ctx: Context, how: str, mended: str = "") -> str:
    note(ctx, "started")
    if mended and Path(mended).exists():
        return "mended"
    match how:
        case "fail":
            raise Fail("it never works")
        case "discard":
            raise Discard("not needed")
        case "raise":
            raise Retry("again", defer=0.05)
    return how


@task
async def parent(ctx: Context) -> str:
    return await ctx.enqueue(echo, value="child")
