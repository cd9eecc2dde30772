"""Start-up and shut-down functions of both kinds, and middleware around async and thread tasks."""

from collections.abc import Awaitable, Callable
from typing import Any

from consumers import Context, Fail, middleware, on_shutdown, on_startup, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note, note_of_worker


@on_startup
async def connect(state: dict[str, Any]) -> None:
    state["connection"] = "open"
    note_of_worker("connect")


@on_startup
def warm_up(state: dict[str, Any]) -> None:
    state["seen"] = state["connection"]
    note_of_worker("warm_up")


@on_shutdown
async def disconnect(state: dict[str, Any]) -> None:
    note_of_worker("disconnect", connection=state["connection"])


@on_shutdown
def breaks(state: dict[str, Any]) -> None:
    note_of_worker("breaks")
    raise RuntimeError("a broken hook does not stop the others")


@middleware
async def outer(ctx: Context, call: Callable[[], Awaitable[Any]]) -> Any:
    note(ctx, "outer-in")
    try:
        return await call()
    finally:
        note(ctx, "outer-out")


@middleware
async def inner(ctx: Context, call: Callable[[], Awaitable[Any]]) -> Any:
    note(ctx, "inner-in")
    if ctx.event.data.get("refuse"):
        raise Fail("the middleware says no")
    return {"from": ctx.task, "result": await call()}


@task(on="hook.happened", topic=TOPIC)
async def in_loop(ctx: Context, event: CloudEvent) -> str:
    note(ctx, "ran", seen=ctx.state["seen"])
    return "async"


@task(on="hook.happened", topic=TOPIC)
def in_thread(ctx: Context, event: CloudEvent) -> str:
    note(ctx, "ran", seen=ctx.state["seen"])
    return "thread"
