"""A sender for many records at once: filled batches instead of one record after the other."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError

from events.errors import BrokerDown, PublishError
from events.partitioning import partitions_of
from events.sender import Record, Sender
from schemas.state import Position

Outcome = Position | PublishError
_TURN: Final = 2_000


class BulkSender(Sender):
    """Adds `send_all` to a sender; what a batch cannot do goes the way of single records."""

    @property
    def is_connected(self) -> bool:
        return self._producer is not None

    async def send_all(self, records: Sequence[Record]) -> list[Outcome]:
        """What became of each record, in their order. Records of one partition keep theirs.

        Never raises PublishError: one record that cannot be sent is no fault of its neighbours.
        """
        outcomes: dict[int, Outcome] = {}
        for topic in dict.fromkeys(record.topic for record in records):
            try:
                await self.check_topic(topic)
            except PublishError as error:
                outcomes |= {i: error for i, record in enumerate(records) if record.topic == topic}
        for index, record in enumerate(records):
            try:
                self.check_size(record)
            except PublishError as error:
                outcomes.setdefault(index, error)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._send_batches(records, outcomes)
        except TimeoutError:
            down = BrokerDown(
                f"Kafka at {self._settings.bootstrap_servers} did not answer within "
                f"{self._timeout_seconds:g} s. What was sent may still arrive."
            )
            return [outcomes.get(index, down) for index in range(len(records))]
        rest = [index for index in range(len(records)) if index not in outcomes]
        for index, sent in zip(rest, await self._one_by_one([records[i] for i in rest]), strict=True):
            outcomes[index] = sent
        return [outcomes[index] for index in range(len(records))]

    async def _one_by_one(self, records: list[Record]) -> list[Outcome]:
        return list(await asyncio.gather(*map(self._attempt, records)))

    async def _attempt(self, record: Record) -> Outcome:
        try:
            return await self.send(record)
        except PublishError as error:
            return error

    async def _send_batches(self, records: Sequence[Record], outcomes: dict[int, Outcome]) -> None:
        """Fill one batch after the other for each partition; those that fail leave no outcome."""
        producer = self._current()
        numbers = self._partitions(producer, records)
        open_batches: dict[tuple[str, int], tuple[Any, list[int]]] = {}
        full: list[tuple[tuple[str, int], Any, list[int]]] = []
        for index, (topic, key, value, headers, _) in enumerate(records):
            if index in outcomes:
                continue
            if index % _TURN == _TURN - 1:
                await asyncio.sleep(0)  # others want their turn
            place = topic, numbers[index]
            batch, indices = open_batches.get(place) or (producer.create_batch(), [])
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                full.append((place, batch, indices))
                batch, indices = producer.create_batch(), []
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    continue  # alone too much for a batch: the single way knows what to do
            indices.append(index)
            open_batches[place] = batch, indices
        full += [(place, batch, indices) for place, (batch, indices) in open_batches.items()]
        by_place: dict[tuple[str, int], list[tuple[Any, list[int]]]] = {}
        for place, batch, indices in full:
            if indices:
                by_place.setdefault(place, []).append((batch, indices))
        async with asyncio.TaskGroup() as sending:
            for (topic, number), batches in by_place.items():
                sending.create_task(self._send_in_order(producer, topic, number, batches, outcomes))

    def _partitions(self, producer: Any, records: Sequence[Record]) -> list[int]:
        found = [record.partition or 0 for record in records]
        by_topic: dict[str, list[int]] = {}
        for index, record in enumerate(records):
            if record.partition is None:
                by_topic.setdefault(record.topic, []).append(index)
        for topic, indices in by_topic.items():
            count = len(producer.client.cluster.partitions_for_topic(topic) or ())
            numbers = partitions_of([records[index].key for index in indices], count)
            for index, number in zip(indices, numbers, strict=True):
                found[index] = number
        return found

    async def _send_in_order(
        self,
        producer: Any,
        topic: str,
        number: int,
        batches: list[tuple[Any, list[int]]],
        outcomes: dict[int, Outcome],
    ) -> None:
        for batch, indices in batches:
            try:
                sent = await (await producer.send_batch(batch, topic, partition=number))
            except KafkaError as error:
                if not error.retriable:
                    await self._replace(producer)
                return
            outcomes |= {index: Position(topic, number, sent.offset + n) for n, index in enumerate(indices)}
