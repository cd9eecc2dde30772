"""How far the workers' group is behind its topics, asked of Kafka, at most every few seconds."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from events.errors import BrokerUnreachable
from events.gateway.pages.source import LagLine
from events.lag import PartitionLag, read_lag
from events.settings import ClientSettings

REMEMBERED_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 3.0
RECORD_SECONDS: Final = 1.0


class Lags:
    """How far each topic is behind; nothing while Kafka does not tell."""

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
                    self._known = lag_lines(
                        await read_lag(
                            self._settings, timeout_seconds=TIMEOUT_SECONDS, record_seconds=RECORD_SECONDS
                        )
                    )
                except BrokerUnreachable:
                    self._known = ()
                self._until = self._clock() + REMEMBERED_SECONDS
            return self._known


def lag_lines(partitions: Iterable[PartitionLag]) -> Sequence[LagLine]:
    """How far each topic is behind: the records of all partitions, and the longest wait of any."""
    topics: dict[str, list[PartitionLag]] = {}
    for each in partitions:
        topics.setdefault(each.topic, []).append(each)
    return [
        LagLine(
            topic,
            sum(each.lag_records for each in found),
            max((each.lag_seconds for each in found if each.lag_seconds is not None), default=None),
        )
        for topic, found in sorted(topics.items())
    ]
