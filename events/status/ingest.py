"""Following the topics in a thread of its own, so that reads stay quick while there is much to read.

Kafka may be away and topics may come: following waits and goes on where the store says it was.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import enter, leave
from events.errors import BrokerDown
from events.fetch_session import with_sessions
from events.gathering import Gathering
from events.header_names import mend_header_names
from events.parsed_records import as_parsed
from events.pending import committed_offsets
from events.status.announced import Announced
from events.status.batch import Folding
from events.status.catalogue import FROM_THE_BEGINNING, followed
from events.status.keys import JOB
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
_SWITCH_SECONDS: Final = 0.001  # how long this thread may keep Python's lock from one that answers


class Ingest:
    """Reads on and on. `progressed` is called in its thread with the ids that changed, after each batch."""

    def __init__(
        self,
        settings: StatusSettings,
        store: Store,
        progressed: Callable[[set[str]], None],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings = settings
        self._store = store
        self._progressed = progressed
        self._now_ms = now_ms
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="status-ingest")
        self._running: Future[None] | None = None
        self._stopping = False
        self._target: tuple[float, dict[Partition, int]] | None = None
        self._sweep_at: bytes = JOB
        self._fresh_at: float | None = None
        self._kept_at = self._aged_at = 0.0
        self.folding = Folding(store, now_ms)
        self.announced = Announced()
        self.places: Places = {}
        self.records = 0  # read since the start

    def start(self) -> None:
        mend_header_names()
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        self._running = self._thread.submit(asyncio.run, self._run())
        self._running.add_done_callback(_tell)

    def stop(self) -> None:
        """Blocking for a moment. Raises what ended the thread, if it ended by itself."""
        self._stopping = True
        self._thread.shutdown()
        if self._running is not None:
            self._running.result()

    @property
    def positions(self) -> dict[Partition, int]:
        """The next offset of every partition that was read."""
        return self.folding.positions

    @property
    def alive(self) -> bool:
        return self._running is not None and not self._running.done()

    @property
    def lag_seconds(self) -> float | None:
        """How long ago all was read that there was; None before the first time. Grows when Kafka is away."""
        return None if self._fresh_at is None else time.monotonic() - self._fresh_at

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._follow()
            except (KafkaError, BrokerDown, OSError, TimeoutError) as error:
                log.warning("status_ingest_interrupted", error=repr(error))
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap_servers,
            client_id=f"{self._settings.app_id}-status",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=POLL_MS,
            **self._settings.kafka_arguments(),
        )
        async with asyncio.timeout(KAFKA_SECONDS):
            await enter(consumer)
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
        folds = self.folding.folds
        if any(each in folds and folds[each].offset > ends[each] for each in places):
            log.warning("status_read_anew", why="a topic was made anew")
            self._store.wipe()
            self.folding = Folding(self._store, self._now_ms)
            folds = self.folding.folds
        kept = {each: place for each, place in places.items() if place.kind not in FROM_THE_BEGINNING}
        new = {each: place for each, place in kept.items() if each not in folds}
        if new:
            first = _plain(await consumer.beginning_offsets([TopicPartition(*each) for each in new]))
            # What the group has committed is settled: the state topics tell it.
            done = _plain(await committed_offsets(self._settings))
            for each, place in new.items():
                start = max(first[each], done.get(each, 0)) if place.kind is Kind.JOBS else first[each]
                self.folding.begin(each, min(start, ends[each]))
        known = consumer.assignment()
        consumer.assign([TopicPartition(*each) for each in sorted(places)])
        for each, place in places.items():
            tp = TopicPartition(*each)
            if place.kind in FROM_THE_BEGINNING and tp not in known:
                self.positions[each] = 0
                consumer.seek(tp, 0)
            else:
                consumer.seek(tp, self.positions[each])
        self.places = places

    async def _read(self, consumer: Any, gathering: Gathering) -> None:
        if not self.places:
            await asyncio.sleep(PAUSED_SECONDS)
            return
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._settings.status_batch_records)
        gathering.took(bool(found))
        if self._is_paused():
            for tp, records in found.items():
                consumer.seek(tp, records[0].offset)
            return
        batches = {}
        for tp, records in found.items():
            place = self.places[tp.topic, tp.partition]
            if place.kind in FROM_THE_BEGINNING:
                for record in records:
                    self.announced.add(place.kind, record)
                self.positions[tp.topic, tp.partition] = records[-1].offset + 1
            else:
                batches[tp.topic, tp.partition] = (place, records)
            self.records += len(records)
        if batches:
            self._progressed(self.folding.apply(batches))
        else:
            self._pass_holes(consumer)
        self._check_target()

    def _pass_holes(self, consumer: Any) -> None:
        states = consumer._subscription.subscription.assignment
        passed = {}
        for tp in consumer.assignment():
            position = states.state_value(tp)._position
            partition = (tp.topic, tp.partition)
            if position is None or position <= self.positions.get(partition, position):
                continue
            if self.places[partition].kind in FROM_THE_BEGINNING:
                self.positions[partition] = position
            else:
                passed[partition] = position
        if passed:
            self.folding.skip(passed)
            self._progressed(set())

    def _check_target(self) -> None:
        if self._target is None:
            return
        at, ends = self._target
        if all(self.positions.get(each, 0) >= end for each, end in ends.items()):
            self._fresh_at, self._target = at, None
            self._progressed(set())

    def _tidy(self) -> None:
        """Forget what is over, bit by bit, while we are up to date."""
        now = time.monotonic()
        lag = self.lag_seconds
        if lag is None or lag > 2 * LOOK_SECONDS:
            return
        self._sweep_at = self.folding.sweep(self._sweep_at, SWEEP_JOBS) or JOB
        if now - self._kept_at >= FRESH_EVERY_SECONDS:
            self._kept_at = now
            self._store.fresh(self._now_ms())

    async def _age(self, consumer: Any) -> None:
        """Forget letters their topics no longer have, and old answers to commands."""
        letters = [TopicPartition(*each) for each, place in self.places.items() if place.kind is Kind.DLQ]
        first = _plain(await consumer.beginning_offsets(letters)) if letters else {}
        self.folding.forget_letters(first, AGED_AT_ONCE)
        self.folding.forget_answers(AGED_AT_ONCE)


def _tell(ended: "Future[None]") -> None:
    """Nobody waits for the thread; the gateway is no longer ready and its log must say why."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.error("status_ingest_ended", exc_info=error)


def _plain(offsets: dict[TopicPartition, int]) -> dict[Partition, int]:
    return {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}
