"""Ways to break the engine that histories must notice: each a patch with the story of what it would cost."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from consumers.engine import partition as partition_module
from consumers.engine.admission import Judgement
from consumers.engine.job import Job
from consumers.engine.parking import Parking
from consumers.engine.partition import Partition
from consumers.engine.settlement import Settlement
from consumers.engine.statedb import Change, Fence, StateDb
from consumers.engine.tracker import Tracker
from consumers.engine.transport import Consumer
from schemas.state import header_of

Mutant = Callable[[], Any]


def off_by_one() -> Any:
    """The watermark is one above the first unsettled offset: that one is committed over."""
    stock = Tracker.watermark.fget  # type: ignore[attr-defined]

    def watermark(self: Tracker) -> int | None:
        found = stock(self)
        return found + 1 if self.live and found is not None else found

    return mock.patch.object(Tracker, "watermark", property(watermark))


def acks_dropped_on_revoke() -> Any:
    """What is in flight is forgotten when a rebalance begins, and the commit that follows passes over it."""
    stock = Consumer.on_partitions_revoked

    async def on_partitions_revoked(self: Any, revoked: Any) -> None:
        for tracker in self.trackers.values():
            tracker.live.clear()
        await stock(self, revoked)

    return mock.patch.object(Consumer, "on_partitions_revoked", on_partitions_revoked)


def holes_swallowed() -> Any:
    """A batch that does not join on to what was taken is taken all the same."""
    return mock.patch.object(Tracker, "expects", lambda self, start: self.next is not None or start is None)


def none_or_zero_start() -> Any:
    """Where nothing was taken yet any offset is the first."""
    return mock.patch.object(
        Tracker, "expects", lambda self, start: not self.next or (start is not None and start <= self.next)
    )


def store_before_ack() -> Any:
    """RocksDB is written before the broker has the records."""

    async def write(self: Any, group: Any, settled: Any) -> None:
        now_ms = self._now_ms()
        self._retry.apply([*group.parked, *group.tombstones], offset=self._retry.db.offset, now_ms=now_ms)
        self._ledger.apply(group.ledger, offset=self._ledger.db.offset, now_ms=now_ms)
        await self._phase_one(group, settled)
        for state, changes in ((self._ledger, group.ledger), (self._retry, group.tombstones)):
            if changes:
                await state.append(changes)

    return mock.patch.object(Settlement, "_write", write)


def one_phase_group() -> Any:
    """The ledger is written beside parked records and dead letters, not after them."""

    async def write(self: Any, group: Any, settled: Any) -> None:
        async def offset_of(state: Any, changes: Any) -> int:
            return await state.append(changes) if changes else -1

        ledger_offset, retry_offset = await asyncio.gather(
            offset_of(self._ledger, group.ledger), self._phase_one(group, settled)
        )
        retry_offset = max(retry_offset, await offset_of(self._retry, group.tombstones))
        self._retry.apply([*group.parked, *group.tombstones], offset=retry_offset, now_ms=self._now_ms())
        self._ledger.apply(group.ledger, offset=ledger_offset, now_ms=self._now_ms())

    return mock.patch.object(Settlement, "_write", write)


def tombstone_at_firing() -> Any:
    """A parked record is removed when its job starts, not when its outcome is durable."""
    stock = Parking._start

    async def start(self: Any, entries: Any, now_ms: int) -> None:
        ids = [id for _, id in entries]
        for id, parked in zip(ids, self._partition.retry.db.get(ids), strict=True):
            if parked is not None:
                self._partition.settlement.forget(Change(id, None, header_of(parked)[0]))
        await stock(self, entries, now_ms)

    return mock.patch.object(Parking, "_start", start)


def no_in_flight_map() -> Any:
    """Whether an equal request runs right now is not looked up."""
    stock = Partition.admit

    def admit(self: Any, reads: Any) -> Any:
        known, self.in_flight = self.in_flight, {}
        try:
            return stock(self, reads)
        finally:
            known.update(self.in_flight)
            self.in_flight = known

    return mock.patch.object(Partition, "admit", admit)


def two_jobs_count_as_one() -> Any:
    """The first of two jobs of a record lets its offset go."""
    return mock.patch.object(Tracker, "settle", lambda self, offset: self.live.pop(offset, None))


def fences_ignored() -> Any:
    """Records of a worker that lost the partition count."""

    def meet(self: Any, fence: Any) -> None:
        self.previous_fence = fence

    return mock.patch.object(StateDb, "_meet", meet)


def late_fences_count() -> Any:
    """A fence of an older generation that arrives late shuts out the owner."""
    stock = StateDb._meet
    return mock.patch.object(
        StateDb, "_meet", lambda self, fence: stock(self, Fence(fence.writer, fence.released, 1 << 60))
    )


def remembered_after_its_end() -> Any:
    """That an attempt runs is written after its outcome, and stands above it."""
    return mock.patch.object(
        Job, "settling", property(lambda self: False, lambda self, value: None), create=True
    )


def kept_over_a_missed_generation() -> Any:
    """A worker goes on with what it knew although somebody else owned its partitions meanwhile."""
    stock = Consumer.on_partitions_assigned

    async def on_partitions_assigned(self: Any, assigned: Any, generation_id: int = 0) -> None:
        self._generation = generation_id - 1
        await stock(self, assigned, generation_id)

    return mock.patch.object(Consumer, "on_partitions_assigned", on_partitions_assigned)


def nothing_is_known() -> Any:
    """What the tables say about a job is not looked at."""
    return mock.patch.object(partition_module, "judge", return_value=Judgement.NEW)


@contextmanager
def nothing_broken() -> Iterator[None]:
    """The engine as it is."""
    yield


MUTANTS: Final[tuple[Mutant, ...]] = (
    off_by_one,
    acks_dropped_on_revoke,
    holes_swallowed,
    none_or_zero_start,
    store_before_ack,
    one_phase_group,
    tombstone_at_firing,
    no_in_flight_map,
    two_jobs_count_as_one,
    fences_ignored,
    late_fences_count,
    remembered_after_its_end,
    kept_over_a_missed_generation,
    nothing_is_known,
)
