"""The writer of one state partition's changelog.

One writer per partition, so records land in the order they were decided. Every record names its writer, and
an offset that is not the next one of ours tells that somebody else wrote in between: a worker thawed after
its session.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka.errors import KafkaError

from consumers.engine.statedb import WRITER_HEADER, Change, StateDb
from schemas.state import encode_state, fence_key

log = structlog.get_logger()
RETRY_SECONDS = 0.2
CONFIRM_LOOK_SECONDS = 0.05


class Gap(NamedTuple):
    """Offsets somebody else wrote: from `start` up to but without `end`."""

    start: int
    end: int


class StateLog:
    """Appends to one partition of a state topic with a writer id."""

    def __init__(
        self,
        *,
        producer: Any,
        topic: str,
        partition: int,
        writer: int,
        heard: Callable[[], float] | None = None,
    ) -> None:
        """`heard` says when, on the monotonic clock, the group was last asked and still counted us in."""
        self._producer = producer
        self._heard = heard
        self.topic = topic
        self.partition = partition
        self.writer = writer
        self._writer_header = [(WRITER_HEADER, writer.to_bytes(8, "big"))]
        self.term = 0  # of the group, when this worker was given the partition
        self._lock = asyncio.Lock()
        self.last: int | None = None
        self.gaps: list[Gap] = []
        self._gaps_met = 0
        self.foreign: set[bytes] = set()  # keys somebody else wrote, to be written again
        self.closed = False
        self.db: StateDb | None = None

    async def append(self, changes: Sequence[Change]) -> int:
        """Write the changes; returns the last offset once the broker has all of them.

        A broker that is away is waited for: the records repeat until they are acknowledged, which a
        compacted topic
        tolerates. Raises `asyncio.CancelledError` only, or `StateLogClosed` when the partition was given
        away.
        """
        async with self._lock:
            pending, gaps = list(changes), self._gaps_met
            if not pending:
                return -1 if self.last is None else self.last
            while True:
                if self.closed:
                    raise StateLogClosed(self.topic, self.partition)
                try:
                    last = await self._send(pending)
                    break
                except KafkaError as error:
                    log.warning(
                        "state_write_delayed", topic=self.topic, partition=self.partition, error=repr(error)
                    )
                    await asyncio.sleep(RETRY_SECONDS)
            if self._gaps_met > gaps:
                await self._still_ours()
            return last

    async def _still_ours(self) -> None:
        """Somebody else wrote between our records. Had that been a new owner, ours would count for nothing:
        return once the group, asked after they were written, knows us as the owner. Raises `StateLogClosed`.
        """
        written = time.monotonic()
        while self._heard is not None and self._heard() <= written:
            if self.closed:
                break
            await asyncio.sleep(CONFIRM_LOOK_SECONDS)
        if self.closed:
            raise StateLogClosed(self.topic, self.partition)

    async def _send(self, changes: list[Change]) -> int:
        now = time.time_ns() // 1_000_000
        builders, builder = [], self._producer.create_batch()
        for change in changes:
            headers = [] if change.value is not None else self._writer_header
            if builder.append(key=change.id, value=change.value, timestamp=now, headers=headers) is None:
                builders.append(builder)
                builder = self._producer.create_batch()
                builder.append(key=change.id, value=change.value, timestamp=now, headers=headers)
        builders.append(builder)
        sent = [
            (await self._producer.send_batch(each, self.topic, partition=self.partition), each.record_count())
            for each in builders
        ]
        last = -1
        for future, count in sent:
            base = (await future).offset
            last = base + count - 1
            self._note(base, last)
        return last

    def _note(self, base: int, last: int) -> None:
        if self.last is not None and base > self.last + 1:
            self._gaps_met += 1
            self.gaps.append(Gap(self.last + 1, base))
        self.last = last if self.last is None else max(last, self.last)

    def apply(self, changes: Sequence[Change], *, offset: int, now_ms: int) -> None:
        """Put what was appended into the local database, unless the partition was given away meanwhile."""
        if self.db is None or self.closed:
            raise StateLogClosed(self.topic, self.partition)
        self.db.apply(changes, offset=offset, now_ms=now_ms)

    async def fence(self, *, released: bool = False) -> int:
        """Tell every reader that from here on only this writer counts; `released` says it lets go in good
        order."""
        now = time.time_ns() // 1_000_000
        value = encode_state(
            {"released": released, "at_ms": now},
            due_ms=self.term,
            writer=self.writer,
            revision=1 if released else 0,
        )
        return await self.append([Change(fence_key(self.partition), value)])


class StateLogClosed(Exception):
    """The partition went to another worker; nothing of it may be written here any more."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"{topic}[{partition}] belongs to another worker now")
