"""What the group commits, seen from outside while it works, held against what was settled by then."""

import asyncio
import time
from collections.abc import Iterable, Mapping
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


def too_early(samples: Iterable[Sample], settled: Mapping[TopicPartition, list[float]]) -> list[str]:
    """Commits past an offset that was not settled by then.

    `settled` says for every offset from 0 on when the last of its jobs was settled, infinity for never.
    """
    latest = {place: _running_maximum(times) for place, times in settled.items()}
    found = []
    reached: dict[TopicPartition, int] = {}
    for at_ms, place, offset in samples:
        if offset < reached.get(place, 0):
            found.append(f"{place.topic}[{place.partition}]: {offset} committed after {reached[place]}")
        reached[place] = offset
        if place not in latest:
            continue
        if offset > len(latest[place]):
            found.append(f"{place.topic}[{place.partition}]: {offset} committed, past the end")
        elif offset and latest[place][offset - 1] > at_ms + 1:
            bad = next(n for n, when in enumerate(settled[place][:offset]) if when > at_ms + 1)
            found.append(
                f"{place.topic}[{place.partition}]: {offset} committed by {at_ms:.0f}, "
                f"but {bad} was settled at {settled[place][bad]:.0f}"
            )
    return found


def _running_maximum(times: list[float]) -> list[float]:
    latest: list[float] = []
    highest = 0.0
    for when in times:
        highest = max(highest, when)
        latest.append(highest)
    return latest
