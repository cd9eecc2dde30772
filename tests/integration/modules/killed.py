"""Tasks that all end at the same moment, each in its own way: one kill meets every outcome in one group.

They wait at a gate inside the worker, which opens when a file appears, and stays open for the next worker.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from consumers import Context, Fail, Fixed, Retry, on_startup, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

GATE = Path(os.environ["GATE"])


@on_startup
async def watch_gate(state: dict[str, Any]) -> None:
    state["gate"] = asyncio.Event()
    state["watch"] = asyncio.create_task(_open_when_there(state["gate"]))


async def _open_when_there(gate: asyncio.Event) -> None:
    while not GATE.exists():
        await asyncio.sleep(0.01)
    gate.set()


async def wait(ctx: Context) -> None:
    note(ctx, "waiting")
    await ctx.state["gate"].wait()


@task(on="kill.completed", topic=TOPIC)
async def completed(ctx: Context, event: CloudEvent) -> str:
    note(ctx, "started")
    await wait(ctx)
    return "done"


@task(on="kill.retry", topic=TOPIC)
async def retrying(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1:
        await wait(ctx)
        raise Retry("later", defer=1.0)


@task(on="kill.retried", topic=TOPIC)
async def retried(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1:
        raise Retry("at once", defer=0.1)
    await wait(ctx)


@task(on="kill.dead", topic=TOPIC)
async def dead(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    await wait(ctx)
    raise Fail("never")


@task(on="kill.exhausted", topic=TOPIC, max_tries=2, backoff=Fixed(0.1))
async def exhausted(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 2:
        await wait(ctx)
    raise RuntimeError("again")


@task(on="kill.outputs", topic=TOPIC)
async def sending(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if not event.data.get("warm_up"):
        await wait(ctx)
    ctx.publish(CloudEvent(type="kill.made", source="/made", data={"by": ctx.job_id}), topic=TOPIC)
    ctx.enqueue("helping", by=ctx.job_id)


@task(on="kill.made", topic=TOPIC)
async def receiving(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started", by=event.data["by"])


@task(name="helping")
async def helping(ctx: Context, by: str) -> None:
    note(ctx, "started", by=by)


@task(on="kill.twins", topic=TOPIC)
async def first_twin(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    await wait(ctx)


@task(on="kill.twins", topic=TOPIC)
async def second_twin(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt == 1:
        await wait(ctx)
        raise Retry("later", defer=0.5)


@task(on="kill.stepped", topic=TOPIC)
async def stepped(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    kept = await ctx.step("effect", effect, ctx)
    assert kept == event.id
    await wait(ctx)


def effect(ctx: Context) -> str:
    note(ctx, "effect")
    return ctx.event.id
