"""Following topics from a place of their past to their end and on, for as long as somebody runs it.

Kafka may be away, topics may not be there yet or gain partitions: following waits and goes on where it was.
"""

import asyncio
import bisect
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import reading
from events.fetch_session import with_sessions
from events.gathering import Gathering
from events.parsed_records import as_parsed
from events.settings import ClientSettings

log = structlog.get_logger(__name__)

POLL_MS: Final = 250
LOOK_AGAIN_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 1.0
BATCH_RECORDS: Final = 2_000

Places = Collection[TopicPartition]
Start = Callable[[Any, Places], Awaitable[dict[TopicPartition, int]]]


async def from_beginning(consumer: Any, places: Places) -> dict[TopicPartition, int]:
    """Start at the first record there is."""
    found: dict[TopicPartition, int] = await consumer.beginning_offsets(list(places))
    return found


class Tail:
    """Hands every record of the topics to `take`, in order within a partition.

    `start` chooses where partitions begin. `ready` is set once everything is read that was there when
    following began.
    """

    def __init__(
        self,
        settings: ClientSettings,
        topics: Sequence[str],
        take: Callable[[TopicPartition, list[Any]], None],
        *,
        start: Start = from_beginning,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._take = take
        self._start = start
        self._waiting: dict[TopicPartition, list[tuple[int, asyncio.Future[None]]]] = {}
        self._targets: dict[TopicPartition, int] = {}
        self.positions: dict[TopicPartition, int] = {}
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("tail_interrupted", topics=list(self._topics), error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def reached(self, place: TopicPartition, offset: int) -> None:
        """Return once the record at `offset` was handed on. Bound it: Kafka may be away."""
        if self.positions.get(place, 0) > offset:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(place, [])
        bisect.insort(waiting, (offset, done), key=lambda each: each[0])
        await done

    async def _follow(self) -> None:
        async with reading(self._settings, "gateway", fetch_max_wait_ms=POLL_MS) as consumer:
            as_parsed(consumer)
            with_sessions(consumer)
            gathering = Gathering(consumer, idle_wait_ms=POLL_MS)
            while True:
                await self._assign(consumer)
                await self._read(consumer, gathering)

    async def _assign(self, consumer: Any) -> None:
        """Take what is there now; new partitions begin where `start` says, known ones go on."""
        cluster = await consumer._client.fetch_all_metadata()
        places = {
            TopicPartition(topic, number)
            for topic in self._topics
            for number in cluster.partitions_for_topic(topic) or ()
        }
        if places and places != consumer.assignment():
            consumer.assign(sorted(places))
            new = [place for place in sorted(places) if place not in self.positions]
            if new:
                ends = await consumer.end_offsets(new)
                self.positions |= await self._start(consumer, new)
                self._targets |= ends
            for place in places:
                consumer.seek(place, self.positions[place])
        self._look_ready()

    async def _read(self, consumer: Any, gathering: Gathering) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_AGAIN_SECONDS
        if not consumer.assignment():
            await asyncio.sleep(PAUSE_SECONDS)
            return
        while loop.time() < until:
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
            gathering.took(bool(batches))
            for place, records in batches.items():
                self._take(place, records)
                self._moved(place, records[-1].offset + 1)
            if self._targets:
                for place in list(self._targets):
                    self._moved(place, await consumer.position(place))  # compaction leaves holes at the end
                self._look_ready()
            await asyncio.sleep(0)

    def _moved(self, place: TopicPartition, position: int) -> None:
        self.positions[place] = position
        waiting = self._waiting.get(place)
        while waiting and waiting[0][0] < position:
            _, done = waiting.pop(0)
            if not done.done():
                done.set_result(None)

    def _look_ready(self) -> None:
        for place, end in list(self._targets.items()):
            if self.positions.get(place, 0) >= end:
                del self._targets[place]
        if not self._targets:
            self.ready.set()
