"""Tasks that fail until something is mended."""

import os
from pathlib import Path

from consumers import Context, Discard, Fail, Fixed, task
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent
from tests.integration.modules.raw_log import TOPIC, note

MENDED = Path(os.environ["MENDED"])


@task(on="mend.event", topic=TOPIC, max_tries=2, backoff=Fixed(0.1))
async def broken(ctx: Context, event: CloudEvent) -> str:
    note(ctx, "started")
    if not MENDED.exists():
        raise ConnectionError("not mended")
    return "mended"


@task(name="plain")
async def plain(ctx: Context, what: str) -> str:
    note(ctx, "started", argument=what)
    if not MENDED.exists():
        raise Fail("not mended")
    return what


class Strict(DomainEvent):
    type = "mend.strict"
    topic = TOPIC
    size: int if not MENDED.exists() else int | str  # type: ignore[valid-type]


@task(on=Strict)
async def strict(ctx: Context, event: Strict) -> None:
    note(ctx, "started", size=event.size)


@task(on="mend.dropped", topic=TOPIC, discard_on=LookupError)
async def dropped(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if event.data["how"] == "verdict":
        raise Discard("not wanted")
    raise KeyError("gone")
