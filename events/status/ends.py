"""Where topics end right now. Everybody who asks while one look is under way shares the next."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events.connecting import leave, start_reader
from events.errors import BrokerDown
from events.settings import ClientSettings
from events.status.catalogue import FROM_THE_BEGINNING, followed
from events.status.store import Partition

LOOK_SECONDS: Final = 5.0


class Ends:
    """Asks Kafka for end offsets. Raises BrokerDown when it does not answer in time."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._consumer: Any = None
        self._next: asyncio.Future[dict[Partition, int]] | None = None
        self._wanted: set[Partition] | None = set()  # None: all there are
        self._looking: asyncio.Task[None] | None = None

    async def of(self, partitions: set[Partition] | None) -> dict[Partition, int]:
        """The ends of these partitions, or of all that are followed, as they are after this call began."""
        if self._next is None:
            self._next, self._wanted = asyncio.get_running_loop().create_future(), set()
        self._wanted = None if partitions is None or self._wanted is None else self._wanted | partitions
        answer = self._next
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        found = await asyncio.shield(answer)
        # A topic may have been deleted since its partitions were known.
        return found if partitions is None else {each: found[each] for each in partitions & found.keys()}

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._disconnect()

    async def _look(self) -> None:
        while self._next is not None:
            answer, wanted, self._next = self._next, self._wanted, None
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    found = await self._ask(wanted)
                answer.set_result(found)
            except (KafkaError, OSError, TimeoutError) as error:
                answer.set_exception(BrokerDown(f"Kafka does not say where its topics end: {error!r}"))
                answer.exception()  # whoever asked may have gone
                with suppress(KafkaError, OSError, TimeoutError):
                    await self._disconnect()
            except asyncio.CancelledError:
                answer.cancel()
                raise

    async def _ask(self, wanted: set[Partition] | None) -> dict[Partition, int]:
        if self._consumer is None:
            self._consumer = await start_reader(self._settings, "ends")
        if wanted is None:
            cluster = await self._consumer._client.fetch_all_metadata()
            topics = {name: len(cluster.partitions_for_topic(name) or ()) for name in cluster.topics()}
            places = followed(self._settings.app_id, topics)
            wanted = {each for each, place in places.items() if place.kind not in FROM_THE_BEGINNING}
        if not wanted:
            return {}
        ends = await self._consumer.end_offsets([TopicPartition(*each) for each in wanted])
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await leave(consumer)
