"""Tasks whose jobs pass through every state there is to see."""

import asyncio

from consumers import Context, Fail, Retry, task
from tests.integration.modules.raw_log import note


@task
async def flicker(ctx: Context, how: str) -> str:
    note(ctx, "started", how=how)
    if how == "retry" and ctx.attempt < 3:
        raise Retry("once more", defer=0.3)
    if how == "slow":
        await asyncio.sleep(1.5)
    if how == "fail":
        raise Fail("as asked")
    return how
