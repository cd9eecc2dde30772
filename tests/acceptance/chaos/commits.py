"""What the group commits, seen from outside while it works, held against what was settled by then."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

EVERY_SECONDS = 0.25


class Sample(NamedTuple):
    """A committed offset, known to hold at `at_ms` at the latest."""

    at_ms: float
    place: TopicPartition
    offset: int


class CommitSampler:
    """Asks the broker for the offsets of a group, over and over."""

    def __init__(self, bootstrap_servers: str, group: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        self._group = group
        self.samples: list[Sample] = []
        self.newest: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        await self._admin.start()
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            await self._admin.close()

    async def look(self) -> None:
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group)
        except KafkaError:  # the group has no coordinator yet
            return
        at_ms = time.time() * 1000
        for place, committed in offsets.items():
            if committed.offset >= 0 and self.newest.get(place) != committed.offset:
                self.samples.append(Sample(at_ms, place, committed.offset))
                self.newest[place] = committed.offset


class TooEarly(NamedTuple):
    """A commit that should not have been. `unsettled` is the first offset it went past."""

    place: TopicPartition
    what: str
    unsettled: int | None = None

    def __str__(self) -> str:
        return f"{self.place.topic}[{self.place.partition}]: {self.what}"


def too_early(samples: Iterable[Sample], settled: Mapping[TopicPartition, list[float]]) -> Iterator[TooEarly]:
    """Commits past an offset that was not settled by then, or behind an earlier commit.

    `settled` says for every offset from 0 on when the last of its jobs was settled, infinity for never.
    """
    latest = {place: list(accumulate(times, max)) for place, times in settled.items()}
    reached: dict[TopicPartition, int] = {}
    for at_ms, place, offset in samples:
        if offset < reached.get(place, 0):
            yield TooEarly(place, f"{offset} committed after {reached[place]}")
        reached[place] = offset
        if offset > len(latest.get(place, [])):
            if place in latest:
                yield TooEarly(place, f"{offset} committed, past the end")
        elif offset and latest[place][offset - 1] > at_ms + 1:
            bad = next(number for number, when in enumerate(settled[place]) if when > at_ms + 1)
            what = f"{offset} committed by {at_ms:.0f}, but {bad} was settled at {settled[place][bad]:.0f}"
            yield TooEarly(place, what, bad)
