"""Tasks that have others told how they ended."""

import os
from typing import Any

from consumers import Context, Discard, Fail, Fixed, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

OWN_TOPIC = os.environ["OWN_TOPIC"]


@task(name="clean_up")
async def clean_up(ctx: Context, failure: dict[str, Any]) -> None:
    note(ctx, "cleaned", failure=failure)


OPTIONS = {"topic": TOPIC, "max_tries": 2, "backoff": Fixed(0.1), "on_failure": "clean_up", "announce": True}


@task(on="report.completed", **OPTIONS)
async def completing(ctx: Context, event: CloudEvent) -> str:
    return "well"


@task(on="report.failed", **OPTIONS)
async def failing(ctx: Context, event: CloudEvent) -> None:
    raise Fail("as it must")


@task(on="report.exhausted", **OPTIONS)
async def exhausting(ctx: Context, event: CloudEvent) -> None:
    raise ConnectionError("as it must")


@task(on="report.expired", deadline=0.2, **OPTIONS | {"backoff": Fixed(60)})
async def expiring(ctx: Context, event: CloudEvent) -> None:
    raise ConnectionError("as it must")


@task(on="report.discarded", **OPTIONS)
async def discarding(ctx: Context, event: CloudEvent) -> None:
    raise Discard("not wanted")


@task(on="report.elsewhere", topic=TOPIC, announce=OWN_TOPIC)
async def elsewhere(ctx: Context, event: CloudEvent) -> None:
    pass
