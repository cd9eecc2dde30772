"""After a foreign write: put our own truth for its keys behind it.

Readers ignore what a worker writes after our fence. Compaction does not: it would keep the foreign record
and drop ours. So the owner looks for offsets in its state partitions that it did not write, and writes those
keys again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumers.engine.partition import Partition
from consumers.engine.statedb import Change, record_writer
from consumers.engine.statelog import Gap, StateLog, StateLogClosed
from consumers.settings import WorkerSettings
from events.connecting import reading
from schemas.state import is_fence

log = structlog.get_logger()

READ_SECONDS: Final = 10.0


class Repair:
    """Watches the two state partitions of one partition."""

    def __init__(
        self,
        *,
        partition: Partition,
        settings: WorkerSettings,
        ends: Callable[[str, int], Awaitable[int | None]],
        may_write: Callable[[], Awaitable[None]],
    ) -> None:
        self._partition = partition
        self._settings = settings
        self._ends = ends
        self._may_write = may_write

    async def run(self) -> None:
        """Look for foreign writes for as long as the partition is ours."""
        while not self._partition.lost:
            await self._wait()
            try:
                for state in (self._partition.retry, self._partition.ledger):
                    await self.look(state)
            except (KafkaError, OSError) as error:
                log.warning("repair_delayed", error=repr(error))
            except StateLogClosed:
                return

    async def _wait(self) -> None:
        for _ in range(max(1, int(self._settings.repair_interval_seconds))):
            await asyncio.sleep(1.0)
            states = (self._partition.retry, self._partition.ledger)
            if any(state.gaps or state.foreign for state in states):
                return

    async def look(self, state: StateLog) -> int:
        """Write our truth again for keys somebody else wrote; returns how many."""
        gaps = list(state.gaps)
        if not gaps and not state.foreign and not await self._has_grown(state):
            return 0
        state.gaps.clear()
        last = state.last if state.last is not None else -1
        keys = await self._foreign_keys(state, [*gaps, Gap(last + 1, 1 << 62)])
        state.foreign |= keys
        if not state.foreign or state.db is None:
            return 0
        await self._may_write()
        if any(is_fence(key) for key in keys):
            await state.fence()
        async with self._partition.settlement.writing:
            return await self._write_again(state)

    async def _write_again(self, state: StateLog) -> int:
        """Between two groups, or one that is under way would have put newer truth before ours. A job in
        flight is left for later: its settlement writes it."""
        assert state.db is not None
        ids = sorted(
            key
            for key in state.foreign
            if not is_fence(key) and key.decode(errors="replace") not in self._partition.in_flight
        )
        state.foreign = {key for key in state.foreign.difference(ids) if not is_fence(key)}
        if not ids:
            return 0
        log.warning("foreign_writes_repaired", topic=state.topic, partition=state.partition, keys=len(ids))
        truth = [
            Change(id, value if value is None else rewritten(value, state.writer))
            for id, value in zip(ids, state.db.get(ids), strict=True)
        ]
        await state.append(truth)
        return len(truth)

    async def _has_grown(self, state: StateLog) -> bool:
        end = await self._ends(state.topic, state.partition)
        return end is not None and state.last is not None and end > state.last + 1

    async def _foreign_keys(self, state: StateLog, gaps: list[Gap]) -> set[bytes]:
        found: set[bytes] = set()
        async with reading(self._settings, "repair") as consumer:
            tp = TopicPartition(state.topic, state.partition)
            consumer.assign([tp])
            end = (await consumer.end_offsets([tp]))[tp]
            for gap in gaps:
                stop = min(gap.end, end)
                consumer.seek(tp, gap.start)
                while gap.start < stop and await consumer.position(tp) < stop:
                    fetched = await consumer.getmany(tp, timeout_ms=1000)
                    found.update(_foreign(fetched.get(tp, []), state.writer, stop))
        return found


def _foreign(records: list[Any], writer: int, stop: int) -> Iterator[bytes]:
    for record in records:
        if record.offset < stop and record.key and record_writer(record) != writer:
            yield record.key


def rewritten(value: bytes, writer: int) -> bytes:
    """The same record, by us."""
    return value[:16] + writer.to_bytes(8, "big") + value[24:]
