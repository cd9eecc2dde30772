"""Counts Headrace's own state topics after its run: each event must have one finished job on record."""

import asyncio
import time
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from events.topics import dlq_topic, ledger_topic, retry_topic
from schemas.state import is_fence

POLL_MS = 200


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What the state topics hold. `last_ns` is when the last ledger record was written."""

    finished: int
    parked: int
    dead: int
    last_ns: int

    def problem(self, events: int) -> str | None:
        """What is wrong with it after `events` jobs, if anything."""
        if (self.finished, self.parked, self.dead) == (events, 0, 0):
            return None
        return (
            f"state topics hold {self.finished} finished, {self.parked} parked and {self.dead} dead jobs "
            f"after {events} events"
        )


async def settled(
    bootstrap_servers: str, app_id: str, source: str, *, events: int, within_seconds: float
) -> Settled:
    """Reads the ledger until it holds `events` jobs or time is over, then retry topic and dead letters."""
    finished: set[bytes] = set()
    last_ms = 0
    deadline = time.monotonic() + within_seconds
    async with _Reader(bootstrap_servers, ledger_topic(app_id, source)) as ledger:
        while len(finished) < events and time.monotonic() < deadline:
            for record in await ledger.read():
                if record.key and not is_fence(record.key):
                    finished.add(record.key)
                    last_ms = max(last_ms, record.timestamp)
    parked: dict[bytes, bool] = {}
    async with _Reader(bootstrap_servers, retry_topic(app_id, source)) as retry:
        for record in await retry.read_all():
            parked[record.key] = record.value is not None
    async with _Reader(bootstrap_servers, dlq_topic(app_id, source)) as dlq:
        dead = len(await dlq.read_all())
    unfinished = [key for key, lives in parked.items() if lives and not is_fence(key) and key not in finished]
    return Settled(finished=len(finished), parked=len(unfinished), dead=dead, last_ns=last_ms * 1_000_000)


class _Reader:
    """All partitions of one topic from the beginning."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
        )

    async def __aenter__(self) -> "_Reader":
        await self._consumer.start()
        partitions = self._consumer.partitions_for_topic(self._topic)
        while not partitions:
            await asyncio.sleep(0.05)
            await self._consumer._client.force_metadata_update()
            self._consumer._client.add_topic(self._topic)
            partitions = self._consumer.partitions_for_topic(self._topic)
        self._partitions = [TopicPartition(self._topic, number) for number in partitions]
        self._consumer.assign(self._partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self) -> list[ConsumerRecord]:
        fetched = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=20_000)
        return [record for records in fetched.values() for record in records]

    async def read_all(self) -> list[ConsumerRecord]:
        """Up to the ends as they are now."""
        ends = await self._consumer.end_offsets(self._partitions)
        found: list[ConsumerRecord] = []
        while any([await self._consumer.position(partition) < end for partition, end in ends.items()]):
            found += await self.read()
        return found
