"""One task for each reason a job or an event is set aside."""

from consumers import Context, Fail, Fixed, task
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent
from tests.integration.modules.raw_log import TOPIC, note


class Measured(DomainEvent):
    type = "letter.measured"
    topic = TOPIC
    size: int


@task(on=Measured)
async def measure(ctx: Context, event: Measured) -> int:
    note(ctx, "started")
    return event.size


@task(on="letter.exhausted", topic=TOPIC, max_tries=2, backoff=Fixed(0.1))
async def exhausted(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    raise ConnectionError("nobody answers")


@task(on="letter.failed", topic=TOPIC)
async def failed(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    raise Fail("of no use")


@task(on="letter.expired", topic=TOPIC, deadline=0.5, backoff=Fixed(60))
async def expired(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    raise ConnectionError("too late")


@task(name="greeting")
async def greeting(ctx: Context, name: str) -> None:
    note(ctx, "started", name=name)
