"""Starting and stopping clients of Kafka, each for a bounded time.

Stock aiokafka gives up on the first refused connection when it starts, and waits for ever when it stops while
Kafka is away.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from events.header_names import mend_header_names
from events.partitioning import by_key
from events.settings import ClientSettings

PAUSE_SECONDS: Final = 0.1
# Whoever finds a batch full waits with all others for the next: at aiokafka's 16 KB that is most of the work.
BATCH_BYTES: Final = 256 << 10
_STOP_SECONDS: Final = 5.0
_BEGIN_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0

Client: TypeAlias = AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient
AnyReader = TypeVar("AnyReader", AIOKafkaConsumer, AIOKafkaAdminClient)


class Reach(Protocol):
    """Where Kafka is and who we are there: `ClientSettings`, and every settings with as much."""

    @property
    def app_id(self) -> str: ...
    @property
    def bootstrap_servers(self) -> str: ...
    def kafka_arguments(self) -> dict[str, Any]: ...


async def connect(settings: ClientSettings, *, max_message_bytes: int) -> AIOKafkaProducer:
    """A started producer. Tries until somebody cancels it."""
    while True:
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap_servers,
            client_id=f"{settings.app_id}-publisher",
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            max_batch_size=BATCH_BYTES,
            max_request_size=max_message_bytes,
            partitioner=by_key,
            **settings.kafka_arguments(),
        )
        try:
            await enter(producer)
            return producer
        except KafkaError:
            await asyncio.sleep(PAUSE_SECONDS)  # nobody there yet


@asynccontextmanager
async def entered(client: AnyReader) -> AsyncIterator[AnyReader]:
    """A started client, left again whatever happens. Raises as `enter`."""
    await enter(client)
    try:
        yield client
    finally:
        await leave(client)


def admin_of(settings: Reach, role: str) -> AIOKafkaAdminClient:
    """An admin client, which the broker's log calls by its `role`. Not started yet."""
    return AIOKafkaAdminClient(
        bootstrap_servers=settings.bootstrap_servers,
        client_id=f"{settings.app_id}-{role}",
        **settings.kafka_arguments(),
    )


@asynccontextmanager
async def reading(settings: ClientSettings, role: str, **arguments: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """The consumer of `start_reader`, left again whatever happens."""
    reader = await start_reader(settings, role, **arguments)
    try:
        yield reader
    finally:
        await leave(reader)


async def start_reader(settings: ClientSettings, role: str, **arguments: Any) -> AIOKafkaConsumer:
    """A started consumer of no group, which the broker's log calls by its `role`. It reads from the
    beginning, unless it is sought elsewhere. Raises as `enter`.
    """
    mend_header_names()
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        client_id=f"{settings.app_id}-{role}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **settings.kafka_arguments(),
        **arguments,
    )
    await enter(reader)
    return reader


async def enter(client: Client) -> None:
    """Start a client; one that does not start, or whose start is cancelled, is stopped again.

    Raises what its `start` raises: KafkaError, OSError, TimeoutError.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        # aiokafka forgets its first connection when it is cancelled while it asks who else is there.
        await _within(_BEGIN_SECONDS, starting)
        if isinstance(client, AIOKafkaProducer):
            await disconnect(client)
        else:
            await leave(client)
        raise


async def disconnect(producer: AIOKafkaProducer) -> None:
    """Send what is waiting, then stop; what cannot be sent fails, and in time."""
    stopping = asyncio.create_task(producer.stop())
    await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    if not stopping.done():
        _fail_the_rest(producer)
        await producer.client.close()
    await _within(_STOP_SECONDS, stopping)
    await _within(_CLOSE_SECONDS, asyncio.create_task(producer.client.close()))
    # A batch that queued up while the producer stopped would wait for ever.
    _fail_the_rest(producer)


async def leave(client: AIOKafkaConsumer | AIOKafkaAdminClient) -> None:
    """Stop a reader. Its own tasks may end as cancelled meanwhile, which is not to cancel who stops it."""
    await asyncio.sleep(0)  # aiokafka cannot stop a consumer whose tasks had no turn yet
    stop = client.close if isinstance(client, AIOKafkaAdminClient) else client.stop
    await _within(_STOP_SECONDS, asyncio.create_task(stop()))
    # A fetch that ends as cancelled ends `stop` before it has closed a connection, and so does our patience.
    await _within(_CLOSE_SECONDS, asyncio.create_task(client._client.close()))


async def _within(seconds: float, ending: asyncio.Task[None]) -> None:
    """Return once a task has ended, however; it is cancelled after this time."""
    await asyncio.wait({ending}, timeout=seconds)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)


def _fail_the_rest(producer: AIOKafkaProducer) -> None:
    accumulator = producer._message_accumulator
    batches = [*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches]
    accumulator.fail_all(KafkaError("the producer was stopped"))
    for batch in batches:
        # Each message tells its sender; of a batch nobody waits for asyncio would tell on standard error.
        if batch._drain_waiter.done():
            batch._drain_waiter.exception()
