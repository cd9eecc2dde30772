"""Following the topics: what they say goes into the store, and what that changed is told.

Kafka may be away and topics may come: following waits and goes on where the store says it was.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import leave, start_reader
from events.errors import BrokerDown
from events.fetch_session import with_sessions
from events.gathering import Gathering
from events.parsed_records import as_parsed
from events.pending import committed_offsets
from events.status.batch import Folding
from events.status.catalogue import FROM_THE_BEGINNING, followed
from events.status.keys import JOB
from events.status.known import Progress, Tell
from events.status.partitions import Place
from events.status.settings import StatusSettings
from events.status.store import Partition, Store
from events.topics import Kind

log = structlog.get_logger(__name__)

POLL_MS: Final = 100
PAUSED_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0
KAFKA_SECONDS: Final = 10.0
SWEEP_JOBS: Final = 1_000
AGED_AT_ONCE: Final = 10_000
FRESH_EVERY_SECONDS: Final = 10.0
AGE_SECONDS: Final = 600.0
Places = dict[Partition, Place]


class Ingest:
    """Reads on and on. `tell` is called with what changed once that is in the store; at first with all."""

    def __init__(
        self,
        settings: StatusSettings,
        store: Store,
        tell: Tell,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings = settings
        self._store = store
        self._listener = tell
        self._now_ms = now_ms
        self._stopping = False
        self._target: tuple[float, dict[Partition, int]] | None = None
        self._sweep_at: bytes = JOB
        self._fresh_at: float | None = None
        self._kept_at = self._aged_at = 0.0
        self._folding = Folding(store, now_ms)
        self._places: Places = {}
        self._tell_all()

    def stop(self) -> None:
        """Let `run` end soon. Safe in any thread."""
        self._stopping = True

    async def run(self) -> None:
        """Read until stopped."""
        while not self._stopping:
            try:
                await self._follow()
            except (KafkaError, BrokerDown, OSError, TimeoutError) as error:
                log.warning("status_ingest_interrupted", error=repr(error))
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self) -> None:
        async with asyncio.timeout(KAFKA_SECONDS):
            consumer = await start_reader(self._settings, "status", fetch_max_wait_ms=POLL_MS)
        try:
            as_parsed(consumer)
            with_sessions(consumer)
            gathering = Gathering(consumer, idle_wait_ms=POLL_MS)
            looked = 0.0
            while not self._stopping:
                if self._is_paused():
                    await asyncio.sleep(PAUSED_SECONDS)
                    continue
                if time.monotonic() - looked >= LOOK_SECONDS:
                    async with asyncio.timeout(KAFKA_SECONDS):
                        await self._look(consumer)
                    looked = time.monotonic()
                    self._tidy()
                    if looked - self._aged_at >= AGE_SECONDS:
                        self._aged_at = looked
                        async with asyncio.timeout(KAFKA_SECONDS):
                            await self._age(consumer)
                await self._read(consumer, gathering)
        finally:
            await leave(consumer)

    def _is_paused(self) -> bool:
        file = self._settings.status_pause_file
        return file is not None and os.path.exists(file)

    def _tell(self, progress: Progress) -> None:
        self._listener(progress._replace(write=self._store.writes))

    @property
    def _positions(self) -> dict[Partition, int]:
        return self._folding.positions

    def _tell_all(self) -> None:
        self._folding.recounted()
        self._tell(
            Progress(
                positions=dict(self._positions),
                counts=dict(self._folding.counts),
                places=frozenset(self._places),
                anew=True,
            )
        )

    async def _look(self, consumer: Any) -> None:
        """Take up what is new, and see where everything ends."""
        cluster = await consumer._client.fetch_all_metadata()
        topics = {name: len(cluster.partitions_for_topic(name) or ()) for name in cluster.topics()}
        places = followed(self._settings.app_id, topics)
        if not places:
            return
        ends = _plain(await consumer.end_offsets([TopicPartition(*each) for each in places]))
        if {TopicPartition(*each) for each in places} != consumer.assignment():
            await self._assign(consumer, places, ends)
        if self._target is None:
            self._target = (time.monotonic(), ends)
        self._check_target()

    async def _assign(self, consumer: Any, places: Places, ends: dict[Partition, int]) -> None:
        folds = self._folding.folds
        if any(each in folds and folds[each].offset > ends[each] for each in places):
            log.warning("status_read_anew", why="a topic was made anew")
            self._store.wipe()
            self._folding = Folding(self._store, self._now_ms)
            folds = self._folding.folds
        kept = {each: place for each, place in places.items() if place.kind not in FROM_THE_BEGINNING}
        new = {each: place for each, place in kept.items() if each not in folds}
        if new:
            first = _plain(await consumer.beginning_offsets([TopicPartition(*each) for each in new]))
            # What the group has committed is settled: the state topics tell it.
            done = _plain(await committed_offsets(self._settings))
            for each, place in new.items():
                start = max(first[each], done.get(each, 0)) if place.kind is Kind.JOBS else first[each]
                self._folding.begin(each, min(start, ends[each]))
        known = consumer.assignment()
        consumer.assign([TopicPartition(*each) for each in sorted(places)])
        for each, place in places.items():
            tp = TopicPartition(*each)
            if place.kind in FROM_THE_BEGINNING and tp not in known:
                self._positions[each] = 0
                consumer.seek(tp, 0)
            else:
                consumer.seek(tp, self._positions[each])
        self._places = places
        self._tell_all()

    async def _read(self, consumer: Any, gathering: Gathering) -> None:
        if not self._places:
            await asyncio.sleep(PAUSED_SECONDS)
            return
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._settings.status_batch_records)
        gathering.took(bool(found))
        if self._is_paused():
            for tp, records in found.items():
                consumer.seek(tp, records[0].offset)
            return
        batches = {}
        announced: list[tuple[Kind, bytes | None, bytes | None]] = []
        for tp, records in found.items():
            partition = (tp.topic, tp.partition)
            place = self._places[partition]
            if place.kind in FROM_THE_BEGINNING:
                announced += ((place.kind, record.key, record.value) for record in records)
                self._positions[partition] = records[-1].offset + 1
            else:
                batches[partition] = (place, records)
        if found:
            ids = self._folding.apply(batches) if batches else ()
            positions = {(tp.topic, tp.partition): self._positions[tp.topic, tp.partition] for tp in found}
            self._tell(Progress(ids, positions, self._folding.recounted(), announced))
        else:
            self._pass_holes(consumer)
        self._check_target()

    def _pass_holes(self, consumer: Any) -> None:
        states = consumer._subscription.subscription.assignment
        passed = {}
        announced = {}
        for tp in consumer.assignment():
            position = states.state_value(tp)._position
            partition = (tp.topic, tp.partition)
            if position is None or position <= self._positions.get(partition, position):
                continue
            if self._places[partition].kind in FROM_THE_BEGINNING:
                announced[partition] = position
            else:
                passed[partition] = position
        self._positions.update(announced)
        self._folding.skip(passed)
        if passed or announced:
            self._tell(Progress(positions=passed | announced))

    def _check_target(self) -> None:
        if self._target is None:
            return
        at, ends = self._target
        if all(self._positions.get(each, 0) >= end for each, end in ends.items()):
            self._fresh_at, self._target = at, None
            self._tell(Progress(fresh_at=at))

    def _tidy(self) -> None:
        """Forget what is over, bit by bit, while we are up to date."""
        now = time.monotonic()
        if self._fresh_at is None or now - self._fresh_at > 2 * LOOK_SECONDS:
            return
        self._sweep_at = self._folding.sweep(self._sweep_at, SWEEP_JOBS) or JOB
        if recounted := self._folding.recounted():
            self._tell(Progress(counts=recounted))
        if now - self._kept_at >= FRESH_EVERY_SECONDS:
            self._kept_at = now
            self._store.fresh(self._now_ms())

    async def _age(self, consumer: Any) -> None:
        """Forget letters their topics no longer have, and old answers to commands."""
        letters = [TopicPartition(*each) for each, place in self._places.items() if place.kind is Kind.DLQ]
        first = _plain(await consumer.beginning_offsets(letters)) if letters else {}
        self._folding.forget_letters(first, AGED_AT_ONCE)
        self._folding.forget_answers(AGED_AT_ONCE)


def _plain(offsets: dict[TopicPartition, int]) -> dict[Partition, int]:
    return {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}
