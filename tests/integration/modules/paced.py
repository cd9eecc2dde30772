"""A task that may start five times in a second."""

from consumers import Context, task
from tests.integration.modules.raw_log import note


@task(rate="5/s")
async def slow(ctx: Context, number: int) -> None:
    note(ctx, "started", number=number)
