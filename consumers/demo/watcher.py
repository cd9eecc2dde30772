"""Looks at workers and broker again and again, shows it, and knows when nothing is left to do."""

import asyncio
import time
from typing import Final

from consumers.demo.expectation import Expectation
from consumers.demo.happenings import Happenings
from consumers.demo.picture import Picture
from consumers.demo.player import Player
from consumers.demo.readings import Reading, reading_of
from consumers.demo.screen import Screen
from consumers.demo.stage import Stage
from events.errors import BrokerUnreachable
from events.lag import read_lag

LOOK_SECONDS: Final = 0.5
LAG_SECONDS: Final = 2.0
# Metrics are up to a second old: one quiet moment proves nothing.
QUIET_SECONDS: Final = 2.5


class Watcher:
    """Shows pictures of the play."""

    def __init__(self, *, stage: Stage, screen: Screen, player: Player, expectation: Expectation) -> None:
        self._stage = stage
        self._screen = screen
        self._player = player
        self._expectation = expectation
        self._happenings = Happenings(worker.log for worker in stage.workers)
        self._lag_records = 0
        self._lag_read = float("-inf")

    async def watch(self, play: asyncio.Task[None]) -> None:
        """Show what happens until the play is over. Raises what the play raised, and WorkerEnded."""
        while not play.done():
            await self.look()
            await asyncio.wait({play}, timeout=LOOK_SECONDS)
        play.result()

    async def until_quiet(self, *, within_seconds: float) -> bool:
        """Watch until all is settled. False when it is not within the bound."""
        deadline = time.monotonic() + within_seconds
        quiet_since: float | None = None
        while time.monotonic() < deadline:
            self._lag_read = float("-inf")
            picture = await self.look()
            if not picture.quiet:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def look(self) -> Picture:
        """Take one picture and show it. Raises WorkerEnded."""
        await self._read_lag()
        picture = Picture(
            clock=self._player.now,
            played=self._player.share,
            published=self._expectation.published,
            reading=await self.read(),
            lag_records=self._lag_records,
        )
        self._screen.show(picture, self._happenings.new())
        return picture

    async def read(self) -> Reading:
        """What all workers' metrics say now. Raises WorkerEnded."""
        for worker in self._stage.workers:
            worker.check()
        texts = await asyncio.gather(*(asyncio.to_thread(worker.metrics) for worker in self._stage.workers))
        return await asyncio.to_thread(reading_of, texts)

    async def _read_lag(self) -> None:
        if time.monotonic() - self._lag_read < LAG_SECONDS:
            return
        try:
            lags = await read_lag(self._stage.client)
        except BrokerUnreachable:
            return  # the last figure stands until the broker answers again
        self._lag_records = sum(lag.lag_records for lag in lags)
        self._lag_read = time.monotonic()
