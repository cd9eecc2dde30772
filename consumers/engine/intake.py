"""The door: fetched batches become jobs in flight.

Offsets are taken in order and held until their jobs settle; a batch of an older assignment, or one that does
not join on to what was taken, is left alone and read again.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from consumers.engine.commands import CommandReader
from consumers.engine.partition import Partition
from consumers.engine.quick import new_tuple
from consumers.engine.reader import Read, Reader
from consumers.engine.tracker import Tracker
from consumers.engine.transport import Batch
from consumers.telemetry.telemetry import Telemetry
from schemas.state import Position, RawRecord

CHUNK: Final = 256


class Intake:
    """Takes the batches of one input topic of a source."""

    def __init__(
        self,
        *,
        partitions: Mapping[int, Partition],
        reader: Reader | CommandReader,
        telemetry: Telemetry,
        consumer: Callable[[], Any],
        crash: Callable[[BaseException], None],
    ) -> None:
        self._partitions = partitions
        self._reader = reader
        self._telemetry = telemetry
        self._counted = not isinstance(reader, CommandReader)  # a command is no event
        self._consumer = consumer
        self._crash = crash
        self._types: dict[str, int] = {}  # of the events of this chunk, and how many

    async def take(self, batch: Batch) -> None:
        """Take a batch. A fault of ours ends the worker: going on could lose what was fetched."""
        try:
            await self._take(batch)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._crash(error)
        finally:
            self._consumer().taken(batch)

    async def _take(self, batch: Batch) -> None:
        consumer = self._consumer()
        partition = self._partitions.get(batch.tp.partition)
        if partition is None or not partition.active or batch.epoch != consumer.epoch:
            return
        tracker = partition.trackers[batch.tp.topic]
        if not tracker.expects(batch.start):
            consumer.read_again()
            return
        for chunk in chunks(batch.records):
            reads = [read for record in chunk for read in self._read(record, batch.tp, tracker)]
            self._count(batch.tp.topic)
            if reads and not self._counted:
                for read in reads:
                    if read.job.asked is not None:
                        partition.desk.take(read.job)
            elif reads:
                new = partition.admit(reads)
                if new:
                    await partition.start(new)
            await asyncio.sleep(0)
            if batch.epoch != consumer.epoch or not partition.active:
                return

    def _read(self, record: Any, tp: Any, tracker: Tracker) -> list[Read]:
        offset = record.offset
        if tracker.next is not None and offset < tracker.next:
            return []
        raw = new_tuple(RawRecord, (record.key, record.value, record.headers, record.timestamp))
        reads = self._reader.read(raw, new_tuple(Position, (tp.topic, tp.partition, offset)))
        tracker.take(offset, len(reads))
        if not reads:
            if self._counted:
                self._telemetry.event_unsubscribed(tp.topic)
            return reads
        held = (tracker, offset)
        for read in reads:
            read.job.held = held
        type = reads[0].job.event.type
        if type:
            self._types[type] = self._types.get(type, 0) + 1
        return reads

    def _count(self, topic: str) -> None:
        types, self._types = self._types, {}
        if self._counted:
            for type, count in types.items():
                self._telemetry.events_received(topic, type, count)


def chunks(records: list[Any]) -> Iterator[list[Any]]:
    """Pieces small enough to let other work in between."""
    for start in range(0, len(records), CHUNK):
        yield records[start : start + CHUNK]
