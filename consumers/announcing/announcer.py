"""Follows the registry topic, and keeps this worker's announcements in it.

Nothing is written before the topic was read to its end, so a lower release never overwrites a higher one; and
when one that started at the same moment did, ours is written again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import orjson
import structlog

from consumers.announcing.documents import outranked, to_write
from consumers.errors import OutputFailed
from events.registry_view import Document, RegistryView
from events.settings import ClientSettings
from events.tail import Tail
from events.topics import registry_topic

log = structlog.get_logger()

AGAIN_SECONDS: Final = 30.0
SEEN_SECONDS: Final = 5.0

Send = Callable[[str, bytes, bytes, list[Any]], Awaitable[None]]


class Announcer:
    """`view` is what the topic says, `ready` set once it was read to its end; `listeners` hear of changes."""

    def __init__(
        self,
        *,
        settings: ClientSettings,
        own: dict[str, Document],
        modules: Collection[str],
        send: Send,
    ) -> None:
        self._topic = registry_topic(settings.app_id)
        self._release = settings.release
        self._own = own
        self._modules = modules
        self._send = send
        self._tail = Tail(settings, [self._topic], self._take)
        self._changed = asyncio.Event()
        self.view = RegistryView()
        self.ready = self._tail.ready
        self.listeners: set[Callable[[], None]] = set()

    async def run(self) -> None:
        """Follow and announce until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tail.run())
            group.create_task(self._announce())

    def _take(self, _place: object, records: list[Any]) -> None:
        changes = [self.view.add(record.key, record.value) for record in records]
        self._changed.set()
        if any(changes):
            for listener in list(self.listeners):
                listener()

    async def _announce(self) -> None:
        await self.ready.wait()
        for key in outranked(self._own, self.view, self._release):
            log.warning("announced_by_a_higher_release", key=key, release=self.view.documents[key]["release"])
        while True:
            self._changed.clear()
            wanted = to_write(self._own, self.view, release=self._release, modules=self._modules)
            for key, document in wanted.items():
                await self._write(key, document)
            try:
                # What was written comes back by the topic: look again then, not before.
                async with asyncio.timeout(SEEN_SECONDS if wanted else AGAIN_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _write(self, key: str, document: Document) -> None:
        try:
            await self._send(self._topic, key.encode(), orjson.dumps(document), [])
            log.info("announced", key=key, removed=bool(document["removed"]), release=document["release"])
        except OutputFailed as error:
            log.error("announcement_refused", key=key, error=str(error))
