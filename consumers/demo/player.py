"""Publishes a programme at its own times, so many times faster."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Final

from consumers.demo.expectation import Expectation
from consumers.demo.programme import Entry
from events.sender import Sender

TURN_SECONDS: Final = 0.05
AT_ONCE: Final = 1_000


class Player:
    """Plays entries in their order. `speed` is seconds of 2013 in one of ours; 0 is as fast as Kafka takes.

    Only what Kafka acknowledged enters the expectation.
    """

    def __init__(
        self,
        *,
        entries: Sequence[Entry],
        sender: Sender,
        expectation: Expectation,
        speed: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries = entries
        self._sender = sender
        self._expectation = expectation
        self._speed = speed
        self._monotonic = monotonic
        self._played = 0
        self.now = entries[0].at if entries else dt.datetime.now(dt.UTC)

    @property
    def share(self) -> float:
        """How much is played, 0 to 1."""
        return self._played / len(self._entries) if self._entries else 1.0

    async def play(self) -> None:
        """Return when everything is acknowledged. Raises PublishError."""
        began = self._monotonic()
        first = self.now
        while self._played < len(self._entries):
            elapsed = dt.timedelta(seconds=(self._monotonic() - began) * self._speed)
            due = self._due(first + elapsed if self._speed else dt.datetime.max.replace(tzinfo=dt.UTC))
            if due:
                await self._publish(due)
            else:
                self.now = first + elapsed
                await asyncio.sleep(TURN_SECONDS)

    def _due(self, now: dt.datetime) -> Sequence[Entry]:
        end = start = self._played
        limit = min(len(self._entries), start + AT_ONCE)
        while end < limit and self._entries[end].at <= now:
            end += 1
        return self._entries[start:end]

    async def _publish(self, due: Sequence[Entry]) -> None:
        await asyncio.gather(*(self._sender.send(entry.record) for entry in due))
        for entry in due:
            self._expectation.add(entry)
        self._played += len(due)
        self.now = due[-1].at
