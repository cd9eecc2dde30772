"""The tasks of the model: two on one event, one alone with a journaled step. How an attempt ends is told to
it."""

from typing import Any

from consumers import Fail, Fixed, Retry, task
from consumers.registry import Registry, using
from consumers.verdicts import Discard
from events import codec
from schemas.cloudevent import CloudEvent
from schemas.job import derived_id, job_id
from tests.model.kafka import TOPIC

SHIPPED = "shipped"
TASKS = {"order.placed": ("ship", "bill"), "order.noted": ("note",), "order.ignored": ()}
OUTCOMES = ("complete", "complete", "publish", "raise", "complete", "fail", "retry", "discard")

REGISTRY = Registry()
with using(REGISTRY):

    @task(on="order.placed", topic=TOPIC, max_tries=3, backoff=Fixed(2))
    async def ship(ctx, event):
        return await ctx.state["worker"].work(ctx)

    @task(on="order.placed", topic=TOPIC, max_tries=3, backoff=Fixed(0.5))
    async def bill(ctx, event):
        return await ctx.state["worker"].work(ctx)

    @task(on="order.noted", topic=TOPIC, order="none", max_tries=3, backoff=Fixed(1))
    async def note(ctx, event):
        worker = ctx.state["worker"]
        await ctx.step("charge", worker.charge, ctx)
        return await worker.work(ctx)


def end(ctx: Any, outcome: str) -> Any:
    """End an attempt."""
    match outcome:
        case "raise":
            raise RuntimeError("told to fail")
        case "fail":
            raise Fail("told to give up")
        case "retry":
            raise Retry(defer=1)
        case "discard":
            raise Discard("told to drop")
        case "publish":
            ctx.publish(CloudEvent(type="order.shipped", source="/model"), topic=SHIPPED)
    return {"ended": outcome}


def placed(type: str, number: int) -> tuple[bytes | None, list[Any], list[str]]:
    """(value, headers, job ids) of the event with this number."""
    event = CloudEvent(id=f"event-{number}", type=type, source="/model", data={})
    value, headers = codec.encode(event)
    return value, headers, [job_id(name, ["/model", event.id]) for name in TASKS[type]]


def output_id(id: str) -> str:
    """The id of the event a job publishes."""
    return derived_id(id, f"event {SHIPPED} order.shipped None", 0)
