"""How far the workers' group is behind its topics, asked of Kafka, at most every few seconds."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from events.connecting import leave, start_reader
from events.errors import BrokerDown
from events.gateway.pages.source import LagLine
from events.pending import committed_offsets
from events.settings import ClientSettings

REMEMBERED_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 3.0


class Lags:
    """Records behind, by topic; nothing while Kafka does not tell."""

    def __init__(self, settings: ClientSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known: Sequence[LagLine] = ()
        self._until = 0.0

    async def read(self) -> Sequence[LagLine]:
        """What was read a moment ago, or is now."""
        async with self._asking:
            if self._clock() >= self._until:
                try:
                    async with asyncio.timeout(TIMEOUT_SECONDS):
                        self._known = await read_lags(self._settings)
                except (BrokerDown, TimeoutError):
                    self._known = ()
                self._until = self._clock() + REMEMBERED_SECONDS
            return self._known


async def read_lags(settings: ClientSettings) -> Sequence[LagLine]:
    """Records behind, by topic. Raises BrokerDown."""
    committed = await committed_offsets(settings)
    if not committed:
        return ()
    try:
        consumer = await start_reader(settings, "lag")
        try:
            ends = await consumer.end_offsets(list(committed))
        finally:
            await leave(consumer)
    except KafkaError as error:
        raise BrokerDown(f"Kafka does not say where its topics end: {error!r}") from error
    behind: dict[str, int] = {}
    for place, offset in committed.items():
        behind[place.topic] = behind.get(place.topic, 0) + max(0, ends[place] - offset)
    return [LagLine(topic, records) for topic, records in sorted(behind.items())]
