"""Tasks that want their input just so: typed, on a condition, with a key of their own; one takes any."""

from typing import Any

from consumers import Context, Retry, task
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent
from tests.integration.modules.raw_log import TOPIC, note


class Measured(DomainEvent):
    type = "input.measured"
    topic = TOPIC
    size: int


class Numbered(DomainEvent):
    type = "input.numbered"
    topic = TOPIC
    number: int
    weight: float = 0.0


@task(on=Measured)
async def measure(ctx: Context, event: Measured) -> int:
    return event.size


@task(on=Numbered, idempotency_key=lambda event: event.number)
async def numbered(ctx: Context, event: Numbered) -> int:
    return event.number


@task(on="input.any", topic=TOPIC)
async def take(ctx: Context, event: CloudEvent) -> None:
    if isinstance(event.data, dict) and ctx.attempt <= event.data.get("failures", 0):
        note(ctx, "failed")
        raise Retry("as asked", defer=0.1)


@task(on="input.chosen", topic=TOPIC, when=lambda event: event.data["size"] > 3)
async def choose(ctx: Context, event: CloudEvent) -> None: ...


@task(name="greet")
async def greet(ctx: Context, name: str, times: int = 1, more: Any = None) -> str:
    return name * times
