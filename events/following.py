"""Following single jobs in the state topics: from the time they were asked for to what becomes of them.

One consumer for all jobs of a client, started when somebody first looks, at rest while nobody waits. It reads
both state topics of the partitions in question and keeps nothing but the newest records of jobs watched; who
counts as their writer: `state_view.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import leave, start_reader
from events.errors import BrokerDown, BrokerUnreachable
from events.settings import ClientSettings
from events.state_view import StatePartition
from events.topics import ledger_topic, retry_topic
from schemas.state import StateRecord, decode_state, header_of

POLL_MS: Final = 50
START_SECONDS: Final = 30.0
FROM_THE_BEGINNING: Final = 0

T = TypeVar("T")


class Place(NamedTuple):
    """A partition of a source."""

    source: str
    partition: int


class Watch:
    """What is known of one key of the state topics. Whoever holds it is kept up to date."""

    __slots__ = ("__weakref__", "_changed", "_finished", "_parked", "place")

    def __init__(self) -> None:
        self.place: Place | None = None  # where the newest record was
        self._finished: bytes | None = None
        self._parked: bytes | None = None
        self._changed = asyncio.Event()

    def see(self, value: bytes | None, place: Place, *, ledger: bool) -> None:
        """Take in the next record of one of the two topics.

        A tombstone tells nothing: it follows a ledger record of a higher revision, which may be read later.
        """
        if ledger:
            self._finished = _newer(self._finished, value)
        else:
            self._parked = _newer(self._parked, value)
        self.place = place
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self) -> None:
        """Return when something new is known."""
        await self._changed.wait()

    def newest(self) -> StateRecord | None:
        """The record that holds, None when nothing is known or all of it has expired."""
        finished, parked = self._finished, self._parked
        if finished is not None and parked is not None and header_of(parked)[3] > header_of(finished)[3]:
            finished = None
        value = parked if finished is None else finished
        if value is None:
            return None
        try:
            record = decode_state(value)
        except ValueError:
            return None  # no worker wrote that
        return None if 0 < record.expires_ms <= time.time_ns() // 1_000_000 else record


def _newer(known: bytes | None, value: bytes | None) -> bytes | None:
    """Going back to an earlier place shows old records once more."""
    if known is None or value is None:
        return value or known
    return value if header_of(value)[3] >= header_of(known)[3] else known


class _Part:
    """One partition of one state topic that is followed."""

    def __init__(self, place: Place, *, ledger: bool, since_ms: int, position: int) -> None:
        self.place, self.ledger, self.since_ms, self.position = place, ledger, since_ms, position
        self.fences = StatePartition()


class Follower:
    """Follows jobs. `watch` costs a dictionary entry; the first `follow` connects."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._watches: WeakValueDictionary[bytes, Watch] = WeakValueDictionary()
        self._parts: dict[TopicPartition, _Part] = {}
        self._consumer: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting = 0
        self._wake = asyncio.Event()
        self._turned = asyncio.Event()
        self._busy = asyncio.Lock()  # aiokafka's consumer wants one caller at a time

    async def __aexit__(self, *error: object) -> None:
        """Disconnect, if there was need to connect."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._consumer is not None:
            await leave(self._consumer)
            self._consumer = None

    def watch(self, key: str) -> Watch:
        """Keep what is read about a key, for as long as the watch is held."""
        encoded = key.encode()
        found = self._watches.get(encoded)
        if found is None:
            found = self._watches[encoded] = Watch()
        return found

    async def follow(self, places: Iterable[Place], since_ms: int, *, anew: bool = False) -> None:
        """Have these partitions read from a time on, at the latest. Raises BrokerUnreachable, BrokerDown.

        `anew`: even if they were, for a watch that was not held yet when they were.
        """
        wanted = {
            TopicPartition(topic(self._settings.app_id, place.source), place.partition): (place, ledger)
            for place in places
            for topic, ledger in ((retry_topic, False), (ledger_topic, True))
        }
        async with self._busy:
            await self._connect()
            late = [
                tp for tp in wanted if anew or tp not in self._parts or self._parts[tp].since_ms > since_ms
            ]
            if late:
                await self._begin({tp: wanted[tp] for tp in late}, since_ms)

    async def _begin(self, wanted: dict[TopicPartition, tuple[Place, bool]], since_ms: int) -> None:
        if since_ms == FROM_THE_BEGINNING:
            starts = await self._asked(self._consumer.beginning_offsets(list(wanted)))
        else:
            found = await self._asked(self._consumer.offsets_for_times(dict.fromkeys(wanted, since_ms)))
            ends = await self._asked(self._consumer.end_offsets(list(wanted)))
            starts = {tp: ends[tp] if found[tp] is None else found[tp].offset for tp in wanted}
        for tp, (place, ledger) in wanted.items():
            known = self._parts.get(tp)
            earliest_ms = since_ms if known is None else min(known.since_ms, since_ms)
            if known is not None and known.position <= starts[tp]:
                known.since_ms = earliest_ms
                continue
            self._parts[tp] = _Part(place, ledger=ledger, since_ms=earliest_ms, position=starts[tp])
        self._consumer.assign(list(self._parts))
        for tp, part in self._parts.items():
            self._consumer.seek(tp, part.position)

    async def caught_up(self, places: Iterable[Place]) -> None:
        """Return when everything was read that is in these partitions now. Raises BrokerDown."""
        wanted = set(places)
        async with self._busy:
            parts = [tp for tp, part in self._parts.items() if part.place in wanted]
            ends = await self._asked(self._consumer.end_offsets(parts))

        async def read() -> None:
            while any(self._parts[tp].position < ends[tp] for tp in parts):
                await self._turned.wait()

        await self.waiting(read)

    async def waiting(self, work: Callable[[], Awaitable[T]]) -> T:
        """Read on while `work` waits for it. Raises what ended the reading, if something did."""
        self._waiting += 1
        self._wake.set()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        task = asyncio.ensure_future(work())
        try:
            await asyncio.wait({task, self._reading}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                self._reading.result()
            return await task
        finally:
            task.cancel()
            self._waiting -= 1

    async def _connect(self) -> None:
        if self._consumer is not None:
            return
        try:
            async with asyncio.timeout(START_SECONDS):
                consumer = await start_reader(self._settings, "follower", fetch_max_wait_ms=100)
        except (KafkaError, TimeoutError) as error:
            raise BrokerUnreachable(f"No Kafka answers at {self._settings.bootstrap_servers}.") from error
        self._consumer = consumer

    async def _asked(self, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(START_SECONDS):
                return await answer
        except (KafkaError, TimeoutError) as error:
            where = self._settings.bootstrap_servers
            raise BrokerDown(f"Kafka at {where} does not say how far its topics go: {error!r}") from error

    async def _read(self) -> None:
        while True:
            self._wake.clear()
            if not self._waiting:
                await self._wake.wait()
            async with self._busy:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
                for tp, records in batches.items():
                    self._take(self._parts[tp], records)
                for (
                    tp,
                    part,
                ) in self._parts.items():  # compaction leaves holes: positions move without records
                    part.position = await self._consumer.position(tp)
            turned, self._turned = self._turned, asyncio.Event()
            turned.set()
            await asyncio.sleep(0)

    def _take(self, part: _Part, records: list[Any]) -> None:
        for record in records:
            if part.fences.counts(record.key, record.value, record.headers):
                watch = self._watches.get(record.key)
                if watch is not None:
                    watch.see(record.value, part.place, ledger=part.ledger)
