"""A task that takes its worker down with it, and harmless ones."""

import asyncio
import os
import signal

from consumers import Context, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note


@task(on="deadly.killer", topic=TOPIC, max_tries=2)
async def killer(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    await asyncio.sleep(0.3)  # its neighbours run by now
    os.kill(os.getpid(), signal.SIGKILL)


@task(on="deadly.neighbour", topic=TOPIC, max_tries=2)
async def neighbour(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    await asyncio.sleep(0.5)


@task(on="deadly.later", topic=TOPIC)
async def later(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
