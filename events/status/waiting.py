"""Who waits for the read model to get on: for a job to change, or for places in the log to be read."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from events.status.store import Partition

Changed = Callable[[float], Awaitable[None]]


class Waiting:
    """All waiting of one event loop. `progressed` must be called in that loop after every batch."""

    def __init__(self, positions: Callable[[], Mapping[Partition, int]]) -> None:
        self._positions = positions
        self._of_jobs: dict[str, set[asyncio.Event]] = {}
        self._of_places: dict[asyncio.Future[None], Mapping[Partition, int]] = {}

    @property
    def any(self) -> bool:
        """Whether anybody waits; true a little longer costs a call, never a wake."""
        return bool(self._of_jobs or self._of_places)

    def progressed(self, ids: set[str] | None) -> None:
        """Wake who waited for these jobs (None: any may have changed), or for what is read by now."""
        for id in self._of_jobs if ids is None else ids & self._of_jobs.keys():
            for event in self._of_jobs[id]:
                event.set()
        for done, wanted in list(self._of_places.items()):
            if not done.done() and self._is_read(wanted):
                done.set_result(None)

    @contextmanager
    def for_job(self, id: str) -> Iterator[Changed]:
        """Inside, `await changed(seconds)` returns when the job changed, or the time is up.

        Look at the job after entering: what changed before is not told.
        """
        event = asyncio.Event()
        self._of_jobs.setdefault(id, set()).add(event)

        async def changed(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
            event.clear()

        try:
            yield changed
        finally:
            waiting = self._of_jobs[id]
            waiting.discard(event)
            if not waiting:
                del self._of_jobs[id]

    async def reached(self, wanted: Mapping[Partition, int], seconds: float) -> bool:
        """Whether everything before these offsets is read within the time."""
        if self._is_read(wanted):
            return True
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._of_places[done] = wanted
        try:
            if not self._is_read(wanted):  # a batch may have ended since the first look
                async with asyncio.timeout(seconds):
                    await done
            return True
        except TimeoutError:
            return False
        finally:
            del self._of_places[done]

    def _is_read(self, wanted: Mapping[Partition, int]) -> bool:
        positions = self._positions()
        return all(positions.get(partition, 0) >= offset for partition, offset in wanted.items())
