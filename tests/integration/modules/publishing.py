"""A task that publishes what its event says: an output the broker will not have is a failed attempt."""

from random import Random

from consumers import Context, Fixed, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note


def incompressible(size: int) -> str:
    """Text that zstd cannot make much smaller than half."""
    return Random(size).randbytes(size // 2).hex()


@task(on="output.wanted", topic=TOPIC, max_tries=2, backoff=Fixed(0.1))
async def sending(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    data = {"filler": incompressible(event.data["size"])}
    ctx.publish(CloudEvent(type="made", source="/m", id=event.id, data=data), topic=event.data["to"], key="k")
