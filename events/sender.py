"""One idempotent producer, kept usable: sends a record and returns when Kafka has it.

aiokafka's idempotent producer is dead for a partition after one refused batch: its sequence numbers moved on.
So what can be known is checked before, and a refusal that comes all the same replaces the producer; records
that failed only because of their neighbour are sent again. Every wait has a bound.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from events.connecting import PAUSE_SECONDS, connect, disconnect
from events.errors import BrokerDown, BrokerUnreachable, EventTooLarge
from events.refusals import UNKNOWN_TOPIC, refusal
from events.settings import ClientSettings
from schemas.state import Position

_NEW_TOPIC_SECONDS: Final = 2.0
_NOBODY_TO_ASK: Final = -1

T = TypeVar("T")


class Record(NamedTuple):
    """A record to send. Without `partition` the key decides (murmur2, as Java's client does)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int | None = None


class Sender:
    """Sends records with acks=all. Start it before use, and stop it."""

    def __init__(self, settings: ClientSettings, *, max_message_bytes: int, timeout_seconds: float) -> None:
        self._settings = settings
        self._max_message_bytes = max_message_bytes
        self._timeout_seconds = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect. Raises BrokerUnreachable when nothing answers in time."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                self._producer = await self._connect()
        except TimeoutError:
            raise BrokerUnreachable(
                f"No Kafka answers at {self._settings.bootstrap_servers} within {self._timeout_seconds:g} s. "
                "Start it, or set HEADRACE_BOOTSTRAP_SERVERS and the security settings."
            ) from None

    async def stop(self) -> None:
        """Send what is waiting, for a bounded time, and disconnect. Safe to call twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._retire(producer)
        if self._retired:
            await asyncio.wait(self._retired)

    async def send(self, record: Record) -> Position:
        """Where the record is now. Raises PublishError: see the tree in `events.errors`."""
        self.check_size(record)
        return await self._bounded(self._send(record), record.topic)

    async def check_topic(self, topic: str) -> None:
        """Raise UnknownTopic or NotAuthorised for a topic not to be had, BrokerDown without an answer."""
        await self._bounded(self._find_topic(self._current(), topic), topic)

    def check_size(self, record: Record) -> None:
        """Raise EventTooLarge for what the topic would refuse."""
        key, value, headers = record.key, record.value, list(record.headers)
        size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
        if size > self._max_message_bytes:
            raise EventTooLarge(
                f"A record for {record.topic!r} has {size} bytes, allowed are {self._max_message_bytes}. "
                "Store the data elsewhere and publish where they are."
            )

    async def _bounded(self, work: Coroutine[Any, Any, T], topic: str) -> T:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await work
        except TimeoutError:
            raise BrokerDown(
                f"Kafka at {self._settings.bootstrap_servers} did not answer for {topic!r} within "
                f"{self._timeout_seconds:g} s. What was sent may still arrive; "
                "sent again with the same id it counts once."
            ) from None

    async def _send(self, record: Record) -> Position:
        alone = record.key is None and record.value is None  # `send` refuses those, a batch takes them
        while True:
            producer = self._current()
            try:
                await self._find_topic(producer, record.topic)
                produce = self._produce_alone if alone else self._produce
                metadata = await produce(producer, record)
                return Position(metadata.topic, metadata.partition, metadata.offset)
            except KafkaError as error:
                if not error.retriable:
                    await self._replace(producer)
                refused = self._refusal(getattr(error, "errno", _NOBODY_TO_ASK), record.topic)
                if isinstance(refused, EventTooLarge) and not alone:
                    alone = True  # the batch was too large, this record need not be
                elif refused is not None:
                    raise refused from error
            await asyncio.sleep(PAUSE_SECONDS)

    def _current(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("not started: use it as `async with Publisher(settings) as publisher`")
        return self._producer

    async def _produce(self, producer: AIOKafkaProducer, record: Record) -> Any:
        topic, key, value, headers, partition = record
        sent = await producer.send(topic, value, key=key, partition=partition, headers=list(headers))
        return await sent

    async def _produce_alone(self, producer: AIOKafkaProducer, record: Record) -> Any:
        """In a batch of its own."""
        topic, key, value, headers, partition = record
        batch = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None, headers=list(headers))
        number = producer._partition(topic, partition, key, value, key, value)
        return await (await producer.send_batch(batch, topic, partition=number))

    async def _find_topic(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Look a topic up: aiokafka would have Kafka make it up, or wait 40 s for it to appear."""
        waited_seconds = 0.0
        while not producer.client.cluster.partitions_for_topic(topic):
            code = await self._look_up(producer, topic)
            if code == 0:
                await producer.client.add_topic(topic)
                await producer.client.force_metadata_update()
                continue
            refused = self._refusal(code, topic)
            if refused is not None and (code != UNKNOWN_TOPIC or waited_seconds >= _NEW_TOPIC_SECONDS):
                raise refused
            await asyncio.sleep(PAUSE_SECONDS)
            waited_seconds += PAUSE_SECONDS if code == UNKNOWN_TOPIC else 0

    async def _look_up(self, producer: AIOKafkaProducer, topic: str) -> int:
        """Kafka's error code for a topic, 0 when it is there."""
        client = producer.client
        try:
            response = await client.send(client.get_random_node(), MetadataRequest([topic], False))
        except KafkaError:
            await client.force_metadata_update()
            return _NOBODY_TO_ASK
        return next((int(found[0]) for found in response.topics if found[1] == topic), UNKNOWN_TOPIC)

    def _refusal(self, code: int, topic: str) -> Exception | None:
        return refusal(code, topic, self._settings.sasl_username)

    async def _connect(self) -> AIOKafkaProducer:
        return await connect(self._settings, max_message_bytes=self._max_message_bytes)

    async def _replace(self, broken: AIOKafkaProducer) -> None:
        async with self._replacing:
            if self._producer is broken:
                self._producer = await self._connect()
                self._retire(broken)

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(disconnect(producer))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
