"""A worker's sign of life in `A.workers`: every five seconds, and a last one when it stops in good order."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson
import structlog

from consumers.announcing.announcer import Send
from consumers.errors import OutputFailed
from consumers.settings import WorkerSettings
from events.topics import workers_topic

log = structlog.get_logger()

INTERVAL_SECONDS: Final = 5.0
STOPPED: Final = "stopped"


class Heartbeat:
    """`state`, `owned` (source, partition) and `running` are asked anew each time."""

    def __init__(
        self,
        *,
        settings: WorkerSettings,
        tasks: Iterable[str],
        send: Send,
        state: Callable[[], str],
        owned: Callable[[], Iterable[tuple[str, int]]],
        running: Callable[[], int],
    ) -> None:
        self._topic = workers_topic(settings.app_id)
        self._key = settings.worker_name.encode()
        self._fixed: dict[str, Any] = {
            "worker": settings.worker_name,
            "release": settings.release,
            "tasks": sorted(tasks),
        }
        self._started_ms = _now_ms()
        self._send = send
        self._state = state
        self._owned = owned
        self._running = running

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat(self._state())
            await asyncio.sleep(INTERVAL_SECONDS)

    async def beat(self, state: str) -> None:
        """Say once how this worker is."""
        partitions: dict[str, list[int]] = {}
        for source, number in sorted(self._owned()):
            partitions.setdefault(source, []).append(number)
        value: dict[str, Any] = {
            **self._fixed,
            "state": state,
            "started_ms": self._started_ms,
            "at_ms": _now_ms(),
            "partitions": {} if state == STOPPED else partitions,
            "running": self._running(),
        }
        try:
            await self._send(self._topic, self._key, orjson.dumps(value), [])
        except OutputFailed as error:
            log.error("heartbeat_refused", error=str(error))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
