"""Reading topics from their beginning to where they end now, without a group and without leaving a trace."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import leave, start_reader
from events.errors import BrokerDown, BrokerUnreachable
from events.settings import ClientSettings

LogRecord = Any
"""aiokafka's ConsumerRecord: topic, partition, offset, timestamp, key, value, headers; all bytes."""

_POLL_MS: Final = 200


class LogReader:
    """Reads whole topics. An async context manager; `timeout_seconds` bounds waits without progress."""

    def __init__(self, settings: ClientSettings, *, timeout_seconds: float = 30.0) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                self._consumer = await start_reader(self._settings, "reader", fetch_max_wait_ms=100)
        except (KafkaError, TimeoutError) as error:
            raise BrokerUnreachable(
                f"No Kafka answers at {self._settings.bootstrap_servers}. "
                "Start it, or set HEADRACE_BOOTSTRAP_SERVERS and the security settings."
            ) from error
        return self

    async def __aexit__(self, *error: object) -> None:
        await leave(self._consumer)

    async def topics(self) -> dict[str, int]:
        """Every topic we may see, with its partition count."""
        cluster = await self._consumer._client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    async def read(self, topics: Iterable[str]) -> AsyncIterator[LogRecord]:
        """Every record of the topics that is there now; in order within a partition. Raises BrokerDown."""
        counts = await self.topics()
        partitions = [
            TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))
        ]
        async for record in self._read(partitions):
            yield record

    async def read_partition(
        self, topic: str, partition: int, start: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Every record of one partition that is there now, from `start` on. Raises BrokerDown."""
        if partition < (await self.topics()).get(topic, 0):
            async for record in self._read([TopicPartition(topic, partition)], start):
                yield record

    async def record_at(self, topic: str, partition: int, offset: int) -> LogRecord | None:
        """The record at a place in the log, None when there is none (any more)."""
        place = TopicPartition(topic, partition)
        if partition >= (await self.topics()).get(topic, 0):
            return None
        async with aclosing(self._read([place], offset)) as records:
            async for record in records:
                return record if record.offset == offset else None
        return None

    async def _read(
        self, partitions: list[TopicPartition], start: int | None = None
    ) -> AsyncGenerator[LogRecord, None]:
        if not partitions:
            return
        self._consumer.assign(partitions)
        first = await self._bounded(self._consumer.beginning_offsets(partitions))
        ends = await self._bounded(self._consumer.end_offsets(partitions))
        missing = {}
        for place in partitions:
            position = first[place] if start is None else max(first[place], start)
            self._consumer.seek(place, position)
            if position < ends[place]:
                missing[place] = ends[place]
        self._consumer.pause(*(place for place in partitions if place not in missing))
        while missing:
            batches = await self._fetch(missing)
            for place, records in batches.items():
                for record in records:
                    if record.offset < ends[place]:
                        yield record
            for place in list(missing):
                if await self._consumer.position(place) >= ends[place]:
                    del missing[place]
                    self._consumer.pause(place)

    async def _fetch(self, missing: dict[TopicPartition, int]) -> dict[TopicPartition, list[LogRecord]]:
        """What comes next. Positions may move without records: compaction leaves holes."""
        before = [await self._consumer.position(place) for place in missing]
        for _ in range(int(self._timeout_seconds * 1000 / _POLL_MS)):
            batches: dict[TopicPartition, list[LogRecord]] = await self._consumer.getmany(timeout_ms=_POLL_MS)
            if batches or before != [await self._consumer.position(place) for place in missing]:
                return batches
        raise self._down()

    async def _bounded(self, work: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await work
        except (TimeoutError, KafkaError) as error:
            raise self._down() from error

    def _down(self) -> BrokerDown:
        return BrokerDown(
            f"Kafka at {self._settings.bootstrap_servers} stopped answering for {self._timeout_seconds:g} s."
        )
