"""Steps of workflows: each writes down what it got."""

import asyncio
from pathlib import Path
from typing import Any

from consumers import Context, Fail, Retry, chain, task
from tests.integration.modules.raw_log import note


@task
async def number(ctx: Context, value: int) -> int:
    note(ctx, "started", value=value)
    return value


@task
async def add(ctx: Context, left: int, right: int) -> int:
    note(ctx, "started", left=left, right=right)
    return left + right


@task
async def shaky(ctx: Context, value: int) -> int:
    note(ctx, "started", value=value)
    if ctx.attempt == 1:
        raise Retry("once more", defer=0.1)
    return value * 10


@task
async def picky(ctx: Context, value: int) -> int:
    note(ctx, "started", value=value)
    if value % 2:
        raise Fail(f"{value} is odd")
    return value


@task
async def total(ctx: Context, values: list[int]) -> int:
    note(ctx, "started", count=len(values))
    return sum(values)


@task
async def listed(ctx: Context, values: list[Any]) -> list[Any]:
    note(ctx, "started", values=values)
    return values


@task
async def large(ctx: Context, size: int) -> str:
    note(ctx, "started", size=size)
    return "x" * size


@task
async def measure(ctx: Context, text: str) -> int:
    note(ctx, "started", size=len(text))
    return len(text)


@task
async def gated(ctx: Context, value: int, gate: str) -> int:
    note(ctx, "started", value=value)
    while not Path(gate).exists():
        await asyncio.sleep(0.02)
    return value


@task
async def hear(ctx: Context, told: Any) -> None:
    note(ctx, "heard", told=told)


@task(max_tries=2)
async def begin_another(ctx: Context, value: int) -> str:
    note(ctx, "started", value=value)
    id = await ctx.enqueue(chain(number.s(value), add.s(1)))
    if ctx.attempt == 1:
        raise Retry("again", defer=0.1)
    return id


@task
async def echo(ctx: Context, text: str) -> str:
    return text


@task
async def lengths(ctx: Context, texts: list[str]) -> list[int]:
    return [len(text) for text in texts]
