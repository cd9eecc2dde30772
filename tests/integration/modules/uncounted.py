"""Tasks that wait for something without using up their tries."""

from collections import Counter

from consumers import Context, Retry, task
from schemas.cloudevent import CloudEvent
from tests.integration.modules.raw_log import TOPIC, note

runs: Counter[str] = Counter()


@task(on="wait.bounded", topic=TOPIC, max_tries=2, deadline=60)
async def patient(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    runs[ctx.job_id] += 1
    if runs[ctx.job_id] < 5:
        raise Retry("not there yet", defer=0.05, count=False)
    if runs[ctx.job_id] == 5:
        raise ConnectionError("there, but broken: this one counts")


@task(on="wait.expiring", topic=TOPIC, max_tries=2, deadline=1.0)
async def expiring(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started", deadline=ctx.deadline.timestamp() if ctx.deadline else None)
    raise Retry("never there", defer=0.2, count=False)


@task(on="wait.endless", topic=TOPIC, max_tries=2)
async def endless(ctx: Context, event: CloudEvent) -> None:
    note(ctx, "started")
    raise Retry("never there", defer=0.2, count=False)
