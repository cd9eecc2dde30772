"""Tasks that ask for another attempt later, in every way there is."""

import datetime as dt
import time

from consumers import Context, Exponential, Linear, Retry, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

DEFER_SECONDS = 0.7


@task(on="defer.*", topic=TOPIC)
async def deferring(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    if ctx.attempt > 1:
        return
    how = event.type.removeprefix("defer.")
    delay = dt.timedelta(seconds=DEFER_SECONDS)
    until = dt.datetime.now(dt.UTC) + delay
    note(ctx, "failed", until=until.timestamp())
    raise Retry(defer={"seconds": DEFER_SECONDS, "timedelta": delay, "datetime": until, "past": PAST}[how])


PAST = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


@task(on="fail.always", topic=TOPIC, max_tries=5, backoff=Exponential(base=0.2, cap=0.4, jitter="none"))
async def exponential(ctx: Context, event: CloudEvent) -> None:
    fail(ctx)


@task(on="fail.always", topic=TOPIC, max_tries=4, backoff=Linear(base=0.2, cap=0.5, jitter="none"))
async def linear(ctx: Context, event: CloudEvent) -> None:
    fail(ctx)


def fail(ctx: Context) -> None:
    note(ctx, "started")
    note(ctx, "failed", until=time.time())
    raise ConnectionError("no")
