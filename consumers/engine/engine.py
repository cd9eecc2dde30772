"""The engine of a worker: which partitions are ours, and what happens when that changes.

Faust's consumer and recovery call in here at the edges (fence, restored, rebalance); in between partitions
run by themselves. One composition root, `worker.py`, makes it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from faust.types import TP

from consumers.engine.app import App
from consumers.engine.assembly import Assembly
from consumers.engine.partition import Partition
from consumers.engine.statedb import Fence
from consumers.engine.statelog import StateLog
from consumers.engine.tracker import Tracker
from consumers.telemetry.health import Health, WorkerState
from consumers.telemetry.telemetry import Telemetry
from events.times import now_ms
from events.topics import Source

log = structlog.get_logger()

RELEASE_SECONDS: Final = 2.0
KAFKA_SECONDS: Final = 15.0
# Records of a topic, parsed and not taken: enough until the next fetch. Without a bound 20,000 waited: 40 MB.
MOST_WAITING: Final = 1000

Owned = tuple[str, int]


class Engine:
    """Owns the partitions of this worker. `app` is set once, right after construction."""

    app: App

    def __init__(
        self,
        *,
        sources: Iterable[Source],
        assembly: Assembly,
        telemetry: Telemetry,
        crashed: Callable[[BaseException | None], None],
    ) -> None:
        self.crashed = crashed
        self.sources = {source.name: source for source in sources}
        self.partitions: dict[Owned, Partition] = {}
        self.by_source: dict[str, dict[int, Partition]] = {name: {} for name in self.sources}
        self._assembly = assembly
        self._telemetry = telemetry
        self._source_of_input = assembly.inputs()
        self._source_of_state = assembly.states()
        self.ready = asyncio.Event()
        self.restoring_records = 0
        self.term = 0  # the group's generation in which our partitions were given to us

    def is_input(self, topic: str) -> bool:
        return topic in self._source_of_input

    # -- fetching

    def open_partitions(self, active: set[TP]) -> set[TP]:
        """Those of `active` that may be fetched from: changelogs, and inputs with room in flight, of topics
        whose records are taken as fast as they come."""
        consumer, settings = self.app.consumer, self._assembly.settings
        most, farthest = settings.partition_in_flight, settings.max_distance
        waiting: Counter[str] = Counter()
        for tp, count in consumer.waiting.items():
            waiting[tp.topic] += count
        full = {
            tp
            for tp, tracker in consumer.trackers.items()
            if waiting[tp.topic] >= MOST_WAITING
            or len(tracker.live) + consumer.waiting[tp] >= most
            or tracker.distance >= farthest
        }
        return active - full

    # -- rebalancing, in the order it happens

    async def rebalance_started(self, revoked: set[TP]) -> None:
        """Say on every partition that its owner is alive: whatever runs now did not kill it."""
        self.ready.clear()
        self._telemetry.rebalanced()
        await self._mark_released(self.partitions.values())

    async def _mark_released(self, partitions: Iterable[Partition]) -> None:
        marks = [
            asyncio.ensure_future(partition.retry.fence(released=True))
            for partition in partitions
            if partition.fenced and not partition.lost and time.monotonic() < self.lease_until()
        ]
        if not marks:
            return
        done, late = await asyncio.wait(marks, timeout=RELEASE_SECONDS)
        for mark in late:
            mark.cancel()
        for mark in done:
            if mark.exception() is not None:
                log.warning("release_not_marked", error=repr(mark.exception()))

    def partitions_assigned(self, inputs: set[TP], trackers: dict[TP, Tracker], generation: int) -> None:
        """Drop what went away, make what is new, keep the rest."""
        self.term = generation
        owned = {(self._source_of_input[tp.topic], tp.partition) for tp in inputs}
        for gone in self.partitions.keys() - owned:
            self._drop(gone)
        for source, number in owned - self.partitions.keys():
            partition = self._assembly.new_partition(self.sources[source], number)
            self.partitions[source, number] = self.by_source[source][number] = partition
        for tp in inputs:
            partition = self.partitions[self._source_of_input[tp.topic], tp.partition]
            partition.trackers[tp.topic] = trackers[tp]

    def start_over(self) -> None:
        """Drop all: others may have owned our partitions meanwhile, and what we know of them is old."""
        for owned in list(self.partitions):
            partition = self.partitions[owned]
            self._drop(owned)
            for state in (partition.retry, partition.ledger):
                if state.db is not None:
                    self.app.tables[state.topic].data.close(partition.number)

    def _drop(self, owned: Owned) -> None:
        source, number = owned
        partition = self.partitions.pop(owned)
        del self.by_source[source][number]
        partition.drop()
        self._assembly.dismantle(source, number)
        self._telemetry.forget_partition(source, number)

    async def fence(self, changelogs: set[TP]) -> None:
        """Tell all readers of these state partitions that from now on only we write them."""
        fences = []
        for tp in changelogs:
            partition = self.partitions.get((self._source_of_state[tp.topic], tp.partition))
            if partition is not None:
                state = partition.ledger if tp.topic == partition.ledger.topic else partition.retry
                state.db = self.app.tables[tp.topic].data.partition(tp.partition)
                state.term = self.term
                fences.append(state.fence())
        await asyncio.gather(*fences)
        for partition in self.partitions.values():
            partition.fenced = partition.retry.db is not None and partition.ledger.db is not None

    async def restored(self, generation: int) -> None:
        """All state that was ours in this generation is read up to our fences: new partitions begin to work.

        What was given to us in the meantime is fenced and restored by the recovery that follows.
        """
        for partition in list(self.partitions.values()):
            if not partition.fenced and generation != self.term:
                continue
            if not partition.fenced:
                raise RuntimeError(f"{partition.source}[{partition.number}] was restored without its fence")
            await asyncio.gather(self._hold(partition.retry), self._hold(partition.ledger))
            if not partition.active and not partition.lost:
                self._assembly.activate(partition)

    async def _hold(self, state: StateLog) -> None:
        """Fence once more where ours came to nothing: terms begin anew when a group was deleted."""
        if state.db is None or state.db.fence is None or state.db.fence.writer == state.writer:
            return
        await self.may_write()
        if state.closed or state.term != self.term:
            return  # or because somebody else owns the partition by now
        state.term = state.db.fence.term + 1
        await state.fence()
        state.db.fence = Fence(state.writer, released=False, term=state.term)

    def rebalance_ended(self) -> None:
        self.ready.set()
        self.restoring_records = 0
        self._telemetry.restore_remaining(0)
        log.info("partitions_ready", partitions=len(self.partitions))

    def restoring(self, records: int) -> None:
        """So many state records are still to be read."""
        self.restoring_records = max(records, 0)
        self._telemetry.restore_remaining(self.restoring_records)

    # -- staying fenced

    async def fence_again(self) -> None:
        """Repeat the fences before retention takes them away."""
        for partition in list(self.partitions.values()):
            if partition.active and not partition.lost:
                for state in (partition.retry, partition.ledger):
                    await state.fence()
                    if state.db is not None:
                        state.apply([], offset=state.db.offset, now_ms=now_ms())

    async def may_write(self) -> None:
        """Wait until the group has heard of us within the session: after a freeze somebody else may own our
        partitions."""
        while time.monotonic() > self.lease_until():
            await asyncio.sleep(0.05)

    def lease_until(self) -> float:
        """Until when, on the monotonic clock, the group cannot have given our partitions to somebody else."""
        last_heartbeat: float = self.app.consumer.last_heartbeat
        return last_heartbeat + self._assembly.settings.session_timeout_seconds

    async def state_ends(self, topic: str, partition: int) -> int | None:
        """The end offset of a state partition; None while it is not known."""
        ends = await self.app.consumer.highwaters(TP(topic, partition))
        return next(iter(ends.values()), None)

    def committed(self) -> None:
        """Kafka acknowledged an offset commit."""
        self._telemetry.committed()

    # -- the end

    async def settle_all(self) -> None:
        """Return when nothing waits to be settled."""
        for partition in list(self.partitions.values()):
            await partition.settlement.idle()

    async def release_all(self) -> None:
        """Say that we stop in good order."""
        await self._mark_released(self.partitions.values())

    def dismantle_all(self) -> None:
        """Stop the background work of every partition."""
        self._assembly.dismantle_all()

    # -- showing

    def show(self, health: Health) -> None:
        """Update what the probes and gauges say."""
        health.beat()
        consumer = self.app.consumer if self.app._consumer is not None else None
        if consumer is None:
            return
        now = time.monotonic()
        health.kafka(self.ready.is_set() and now <= self.lease_until(), heard=consumer.last_heartbeat)
        if now - consumer.last_poll < KAFKA_SECONDS or not self.partitions:
            health.polled()
        if self.ready.is_set():
            health.state = WorkerState.READY
            health.assigned(len(self.partitions))
        elif self.partitions:
            health.state = WorkerState.RESTORING
            health.assigned(len(self.partitions), restore_remaining=self.restoring_records)
        else:
            health.unassigned()
        self._show_partitions()

    def _show_partitions(self) -> None:
        for (source, number), partition in self.partitions.items():
            parking = self._assembly.parkings[source, number]
            self._telemetry.partition(
                source,
                number,
                in_flight=len(partition.in_flight),
                parked=parking.counts.by_kind,
                due=parking.due,
                late_seconds=parking.late_seconds,
            )

    def in_flight(self) -> int:
        return sum(len(partition.in_flight) for partition in self.partitions.values())
