"""The thread that talks to Kafka for a worker: Faust's, with a shorter way for what was fetched.

Every turn of a loop and every wait for the GIL in it is time between an event and its handler.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.utils.futures import maybe_set_exception, maybe_set_result

from consumers.engine.connection import collected_in, tell_at_once
from events.connecting import leave
from events.fetch_session import with_sessions
from events.parsed_records import as_parsed

FETCH_MAX_WAIT_MS: Final = 100
# Of the GIL, or the next fetch is put together before anybody takes the last: few records until they got to
# their handlers, many until somebody began with them.
LET_GO_SECONDS: Final = 0.002
LET_GO_OF_MANY_SECONDS: Final = 0.0001
FEW: Final = 64


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The stock thread, tuned, and asked for records without its queue of methods."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Faust hard-codes a long poll of 1.5 s; a partition that is resumed would wait behind it."""
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Straight to the thread's loop: its queue of methods takes five turns of that loop to begin one."""
        consumer = self._ensure_consumer()
        fetched = self.parent_loop.create_future()
        fetching = self._fetch(fetched, consumer, active_partitions, timeout)
        asyncio.run_coroutine_threadsafe(fetching, self.thread_loop)
        return await fetched

    async def _fetch(
        self, fetched: asyncio.Future[Any], consumer: Any, active_partitions: set[TP] | None, timeout: float
    ) -> None:
        tell = self.parent_loop.call_soon_threadsafe
        try:
            records = await self._fetch_records(
                consumer, active_partitions, timeout=timeout, max_records=consumer._max_poll_records
            )
        except BaseException as error:
            tell(maybe_set_exception, fetched, error)
        else:
            tell(maybe_set_result, fetched, records)
            if records:
                few = sum(map(len, records.values())) <= FEW
                time.sleep(LET_GO_SECONDS if few else LET_GO_OF_MANY_SECONDS)

    def close(self) -> None:
        """Nothing: the thread closes its consumer itself when it stops.

        Faust calls this when a rebalance meets a stop, and closes the connections in the loop of another
        thread than theirs: libuv then calls a callback that is gone, and the process dies of it.
        """

    async def on_thread_stop(self) -> None:
        """As the stock thread, but for a bounded time, and whatever becomes of a fetch that is under way.

        One that ends as cancelled, as it does while Kafka is away, ends aiokafka's `stop` and with it the
        thread, before it has said so: whoever waits for it would wait for ever.
        """
        await super(driver.AIOKafkaConsumerThread, self).on_thread_stop()
        if self._consumer is not None:
            await leave(self._consumer)

    async def pause_fetching(self, tps: set[TP]) -> None:
        assigned = self._consumer.assignment()
        self._consumer.pause(*(TopicPartition(*tp) for tp in tps if TopicPartition(*tp) in assigned))

    async def on_start(self) -> None:
        await super().on_start()
        as_parsed(self._consumer)
        with_sessions(self._consumer)
        tell_at_once(self._consumer._fetcher)
        self.consumer.watch_heartbeats(self._consumer._coordinator)

    async def commit_in(self, generation: int, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets that were collected in a generation of the group, if it still is that one."""
        committed: bool = await self.call_thread(self._commit_in, generation, offsets)
        return committed

    async def _commit_in(self, generation: int, offsets: Mapping[TP, int]) -> bool:
        collected_in.set(generation)
        committed: bool = await self._commit(offsets)
        return committed
