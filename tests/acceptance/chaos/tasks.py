"""The tasks of the chaos test: every kind of work there is, each attempt written down.

flights ─► depart, arrive, weigh (thread), first_seen (record key), rebook (steps)
        ─► warn ─► an event on `delays` ─► note_delay
                ─► send_notice, file_notice through the jobs topic
        ─► tally, which hops to the jobs topic by its own key
"""

import asyncio
import time
import uuid
from typing import Any

from consumers import Context, Discard, Fail, Fixed, Retry, on_startup, task
from schemas.cloudevent import CloudEvent
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted
from schemas.job import JobState
from tests.acceptance.chaos.fates import MANY, Fate, fate_of
from tests.acceptance.chaos.raw_log import EFFECT, END, START, RawLog
from tests.acceptance.chaos.work import (
    DELAYED,
    DELAYS,
    STEPS,
    is_long_delay,
    is_tallied,
    is_warned,
    is_weighed,
    tally_key,
)

LOG = "log"
OFTEN: dict[str, Any] = {"max_tries": MANY, "backoff": Fixed(0.4)}


@on_startup
def open_log(state: dict[str, Any]) -> None:
    state[LOG] = RawLog()


def note(ctx: Context, what: str, of: str, fact: Any = None) -> None:
    ctx.state[LOG].note(what, ctx.task, ctx.job_id, ctx.attempt, of, fact)


async def live(ctx: Context, of: str) -> None:
    """One attempt, as fate wants it."""
    note(ctx, START, of)
    fate = fate_of(ctx.task, of)
    await asyncio.sleep(fate.seconds)
    end(ctx, of, fate)


def end(ctx: Context, of: str, fate: Fate) -> None:
    if ctx.attempt < fate.attempts:
        note(ctx, END, of, "retry")
        if ctx.attempt % 2:
            raise Retry("not yet", defer=0.2 + fate.seconds)
        raise RuntimeError("not yet")
    note(ctx, END, of, fate.state)
    if fate.state is JobState.FAILED:
        raise Fail("never")
    if fate.state is JobState.DISCARDED:
        raise Discard("not wanted")


@task(on=FlightDeparted, **OFTEN)
async def depart(ctx: Context, event: FlightDeparted) -> dict[str, Any]:
    await live(ctx, ctx.event.id)
    return {"late": event.departure_delay_minutes}


@task(on=FlightArrived, order="none", **OFTEN)
async def arrive(ctx: Context, event: FlightArrived) -> None:
    await live(ctx, ctx.event.id)


@task(on=FlightArrived, when=is_weighed, **OFTEN)
def weigh(ctx: Context, event: FlightArrived) -> None:
    note(ctx, START, ctx.event.id)
    fate = fate_of(ctx.task, ctx.event.id)
    time.sleep(fate.seconds)
    end(ctx, ctx.event.id, fate)


@task(on=FlightDeparted, idempotency_key="record_key", **OFTEN)
async def first_seen(ctx: Context, event: FlightDeparted) -> None:
    await live(ctx, ctx.key or "")


@task(on=FlightDeparted, when=is_tallied, idempotency_key=tally_key, **OFTEN)
async def tally(ctx: Context, event: FlightDeparted) -> None:
    await live(ctx, tally_key(event))


@task(on=FlightDeparted, when=is_warned, **OFTEN)
async def warn(ctx: Context, event: FlightDeparted) -> None:
    of = ctx.event.id
    await live(ctx, of)
    ctx.publish(CloudEvent(type=DELAYED, source="/chaos", data={"of": of}), topic=DELAYS, key=event.key())
    ctx.enqueue(send_notice.options(job_id=f"notice/{of}"), of=of)
    ctx.enqueue(file_notice, of=of)


@task(on=DELAYED, topic=DELAYS, **OFTEN)
async def note_delay(ctx: Context, event: CloudEvent) -> None:
    await live(ctx, event.data["of"])


@task(name="send_notice", **OFTEN)
async def send_notice(ctx: Context, of: str) -> None:
    await live(ctx, of)


@task(name="file_notice", **OFTEN)
async def file_notice(ctx: Context, of: str) -> None:
    await live(ctx, of)


@task(on=FlightCancelled, **OFTEN)
async def rebook(ctx: Context, event: FlightCancelled) -> dict[str, str]:
    return await two_steps(ctx)


@task(on=FlightArrived, when=is_long_delay, **OFTEN)
async def refund(ctx: Context, event: FlightArrived) -> dict[str, str]:
    return await two_steps(ctx)


async def two_steps(ctx: Context) -> dict[str, str]:
    """Two effects with a pause between, then whatever fate wants, so that a retry comes after both."""
    of = ctx.event.id
    fate = fate_of(ctx.task, of)
    note(ctx, START, of)
    kept = {}
    for name in STEPS:
        kept[name] = await ctx.step(name, effect, ctx, of, name)
        await asyncio.sleep(fate.seconds)
    end(ctx, of, fate)
    return kept


async def effect(ctx: Context, of: str, name: str) -> str:
    """Happens in the outside world; its receipt is told apart from that of a repeat."""
    await asyncio.sleep(0.002)
    receipt = uuid.uuid4().hex
    note(ctx, EFFECT, of, [name, receipt])
    return receipt
