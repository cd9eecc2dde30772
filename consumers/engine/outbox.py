"""What jobs publish, and their dead letters: an idempotent producer that survives a refusal.

An idempotent producer is dead for a partition after one refused batch (its sequence numbers have moved on),
so sizes and topics are checked first, and a refusal that comes all the same replaces the producer.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from consumers.engine.group import Letter
from consumers.errors import OutputFailed
from consumers.settings import WorkerSettings
from events.connecting import disconnect, enter
from events.errors import EventTooLarge
from events.refusals import refusal
from schemas.deadletter import PREFIX

log = structlog.get_logger()

PAYLOAD_LEFT_OUT: Final = ("headrace-payload", b"too large to copy; see headrace-origin-*")

BATCH_BYTES: Final = 256 << 10
TOPIC_LOOKUP_SECONDS: Final = 2.0
TOPIC_ANSWERS: Final = 2
RETRY_SECONDS: Final = 0.2
RECORD_OVERHEAD_BYTES: Final = 200


class Outbox:
    """Sends outputs and letters; every method returns once the broker has them."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._producer: Any = None
        self._renewing: asyncio.Lock = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._producer = await self._new_producer()

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await disconnect(producer)

    @property
    def producer(self) -> Any:
        return self._producer

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap_servers,
            client_id=f"{self._settings.app_id}-outbox",
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=self._settings.max_message_bytes + BATCH_BYTES,
            compression_type="zstd",
            **self._settings.kafka_arguments(),
        )
        await enter(producer)
        return producer

    async def check(self, topic: str) -> None:
        """Make sure a topic exists. Raises `OutputFailed`; looks it up when it is not known yet."""
        answers = 0
        # The first answer may be to a question that was asked before the topic was added to it.
        while answers < TOPIC_ANSWERS:
            client = self.producer.client
            if client.cluster.partitions_for_topic(topic):
                return
            client.add_topic(topic)
            update = client.force_metadata_update()
            await asyncio.wait({update}, timeout=TOPIC_LOOKUP_SECONDS)
            if update.done() and not update.cancelled() and update.result():
                answers += 1
            else:
                await asyncio.sleep(RETRY_SECONDS)  # the broker is away, which is no fault of the job
        if self.producer.client.cluster.partitions_for_topic(topic):
            return
        raise OutputFailed(
            f"topic {topic!r} does not exist or may not be seen; create it before publishing to it"
        )

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[Any],
        *,
        partition: int | None = None,
    ) -> None:
        """Publish one record, to the partition of its key unless one is given. Raises `OutputFailed` when the
        broker will not have it."""
        size = RECORD_OVERHEAD_BYTES + len(key or b"") + len(value or b"")
        size += sum(len(name) + len(content or b"") for name, content in headers)
        if size > self._settings.max_message_bytes:
            raise OutputFailed(
                f"an event for {topic!r} has {size} bytes, more than HEADRACE_MAX_MESSAGE_BYTES="
                f"{self._settings.max_message_bytes}; publish a reference to the data instead"
            )
        await self.check(topic)
        alone = False
        while True:
            producer = self.producer
            try:
                await (_send_alone if alone else _send)(producer, topic, key, value, headers, partition)
                return
            except KafkaError as error:
                if not error.retriable:
                    await self._renew(producer)
                refused = refusal(getattr(error, "errno", -1), topic, self._settings.sasl_username)
                if refused is not None and (alone or not isinstance(refused, EventTooLarge)):
                    raise OutputFailed(f"{topic!r} refused an event: {refused}") from error
                # Its batch may have been too large without it being so, or failed for its neighbour.
                alone = refused is not None
                log.warning("output_delayed", topic=topic, error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def send_letters(self, topic: str, partition: int, letters: Sequence[Letter]) -> None:
        """Write dead letters to the partition of their source; waits for a broker that is away."""
        waiting: list[Sequence[Letter]] = [letters]
        while waiting:
            producer = self.producer
            refused = await _send_batches(producer, topic, partition, waiting.pop(0))
            if not refused:
                continue
            waiting[:0] = [group for batch in refused for group in batch.to_send_again()]
            for batch in refused:
                error = repr(batch.error)
                log.warning("dead_letter_delayed", topic=topic, partition=partition, error=error)
            if not all(batch.error.retriable for batch in refused):
                await self._renew(producer)
            await asyncio.sleep(RETRY_SECONDS)

    async def _renew(self, broken: Any) -> None:
        async with self._renewing:
            if self._producer is not broken:
                return
            fresh = await self._new_producer()
            self._producer = fresh
            # Not its own stop: what queued up meanwhile would wait for ever.
            stopping = asyncio.create_task(disconnect(broken))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)


async def _send(
    producer: Any,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[Any],
    partition: int | None,
) -> None:
    await (await producer.send(topic, value, key=key, partition=partition, headers=headers))


async def _send_alone(
    producer: Any,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[Any],
    partition: int | None,
) -> None:
    batch = producer.create_batch()
    batch.append(key=key, value=value, timestamp=None, headers=headers)
    await producer.partitions_for(topic)  # a new producer knows none yet
    partition = producer._partition(topic, partition, key, value, key, value)
    await (await producer.send_batch(batch, topic, partition=partition))


class _Refused(NamedTuple):
    """Letters the broker did not take, and why."""

    letters: Sequence[Letter]
    error: KafkaError

    def to_send_again(self) -> list[Sequence[Letter]]:
        """Letters refused together for their size each for itself: only one that is too large alone loses
        what it carries."""
        if not isinstance(self.error, MessageSizeTooLargeError | RecordListTooLargeError):
            return [self.letters]
        if len(self.letters) == 1:
            return [[_shortened(self.letters[0])]]
        return [[letter] for letter in self.letters]


async def _send_batches(
    producer: Any, topic: str, partition: int, letters: Sequence[Letter]
) -> list[_Refused]:
    """Send letters in as few batches as they take. All but those returned are in the topic."""
    batches = _batches_of(producer, letters)
    answers = await asyncio.gather(
        *(_send_batch(producer, topic, partition, builder) for builder, _ in batches), return_exceptions=True
    )
    refused = []
    for (_, batch), answer in zip(batches, answers, strict=True):
        if isinstance(answer, KafkaError):
            refused.append(_Refused(batch, answer))
        elif isinstance(answer, BaseException):
            raise answer
    return refused


async def _send_batch(producer: Any, topic: str, partition: int, builder: Any) -> None:
    await (await producer.send_batch(builder, topic, partition=partition))


def _batches_of(producer: Any, letters: Sequence[Letter]) -> list[tuple[Any, list[Letter]]]:
    builder: Any = producer.create_batch()
    batches: list[tuple[Any, list[Letter]]] = [(builder, [])]
    for letter in letters:
        content: dict[str, Any] = letter._asdict() | {"timestamp": None}
        if builder.append(**content) is None:
            builder = producer.create_batch()
            builder.append(**content)  # the first one fits whatever its size
            batches.append((builder, []))
        batches[-1][1].append(letter)
    return batches


def _shortened(letter: Letter) -> Letter:
    """A letter without its payload, or without all but our headers: they say where the original is."""
    if letter.value is not None:
        return Letter(letter.key, None, [*letter.headers, PAYLOAD_LEFT_OUT])
    ours = [
        header for header in letter.headers if header[0].startswith(PREFIX) and header != PAYLOAD_LEFT_OUT
    ]
    return Letter(None, None, [*ours, PAYLOAD_LEFT_OUT])
