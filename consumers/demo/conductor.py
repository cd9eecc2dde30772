"""The play from the first event to the summary: chores, flights, quiet, reports, quiet, sums."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.demo.chores import ask_for_chores, ask_for_reports, read_reports, report_paths
from consumers.demo.dataset import Flight
from consumers.demo.expectation import Expectation
from consumers.demo.player import Player
from consumers.demo.programme import programme_of
from consumers.demo.screen import Screen
from consumers.demo.stage import Stage
from consumers.demo.summary import Outside, Sum, summary_of
from consumers.demo.tally import read_tally
from consumers.demo.watcher import Watcher
from events.publisher import MAX_MESSAGE_BYTES
from events.queue import JobQueue
from events.sender import Sender

SETTLE_SECONDS: Final = 240.0
KAFKA_SECONDS: Final = 30.0
CATCH_UP_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended."""

    sums: list[Sum]
    reports: list[Path]

    @property
    def adds_up(self) -> bool:
        return all(one.holds for one in self.sums)


async def conduct(stage: Stage, screen: Screen, flights: Sequence[Flight], *, speed: float) -> Ending:
    """Play the flights and return when everything is settled, or the bound for it passed.

    Raises WorkerEnded, and EventsError when Kafka goes away.
    """
    entries = programme_of(flights)
    expectation = Expectation()
    sender = Sender(stage.client, max_message_bytes=MAX_MESSAGE_BYTES, timeout_seconds=KAFKA_SECONDS)
    player = Player(entries=entries, sender=sender, expectation=expectation, speed=speed)
    watcher = Watcher(stage=stage, screen=screen, player=player, expectation=expectation)
    days = sorted({flight.day for flight in flights})
    async with JobQueue(stage.client) as queue:
        await ask_for_chores(queue, stage, flights, expectation)
        screen.say(f"Playing {len(flights):,} flights as {len(entries):,} records {_pace(speed)}")
        await sender.start()
        try:
            await watcher.watch(asyncio.create_task(player.play()))
        finally:
            await sender.stop()
        screen.say("All is published; waiting for the last retries")
        await _settled(watcher, screen)
        screen.say(f"Asking for the report of {_span(days)}")
        await ask_for_reports(queue, days, expectation)
        await _settled(watcher, screen)
    screen.say("Reading the topics back to see whether it all adds up")
    return await _ending(stage, watcher, expectation, days)


async def _settled(watcher: Watcher, screen: Screen) -> None:
    if not await watcher.until_quiet(within_seconds=SETTLE_SECONDS):
        screen.say(f"Not everything is settled after {SETTLE_SECONDS:g} s")


async def _ending(
    stage: Stage, watcher: Watcher, expectation: Expectation, days: Sequence[dt.date]
) -> Ending:
    tally = await read_tally(stage.client)
    reports = report_paths(stage, days)
    outside = Outside(
        mails=len(stage.mail.accepted),
        calls=len(stage.airlines.accepted),
        reports=read_reports(reports),
        told=await _told(stage, tally.jobs.total()),
    )
    sums = summary_of(expectation, tally, await watcher.read(), outside)
    return Ending(sums, [path for path in reports if path.exists()])


async def _told(stage: Stage, wanted: int) -> int:
    """How many jobs the gateway knows of, once it has read as far as we did or the bound passed."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while True:
        told = sum((await asyncio.to_thread(stage.gateway.counts)).values())
        if told == wanted or time.monotonic() > deadline:
            return told
        await asyncio.sleep(0.2)


def _pace(speed: float) -> str:
    return f"at {speed:g} times their own pace" if speed else "as fast as Kafka takes them"


def _span(days: Sequence[dt.date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
