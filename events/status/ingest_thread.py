"""Reading in a thread of its own, for programs that embed the read model."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import structlog

from events.status.ingest import Ingest
from events.status.known import Tell
from events.status.settings import StatusSettings
from events.status.store import Store, View, open_store

log = structlog.get_logger(__name__)

_SWITCH_SECONDS: Final = 0.001  # how long the thread may keep Python's lock from one that answers


class IngestThread:
    """Opens the database and feeds it."""

    def __init__(self, settings: StatusSettings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._store: Store | None = None
        self._ingest: Ingest | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="status-ingest")
        self._running: Future[None] | None = None

    def open(self) -> View:
        """The database. Raises InvalidSettings when it cannot be used."""
        if self._store is None:
            self._store = open_store(self._settings.status_dir, app_id=self._settings.app_id)
        return self._store

    def start(self, tell: Tell) -> None:
        """Read from now on. `tell` is called in the thread, but the first time before this returns."""
        assert self._store is not None, "open it first"
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        self._ingest = Ingest(self._settings, self._store, tell, now_ms=self._now_ms)
        self._running = self._thread.submit(asyncio.run, self._ingest.run())
        self._running.add_done_callback(_log_end)

    def stop(self) -> None:
        """Blocking for a moment. Raises what ended the thread, if it ended by itself."""
        try:
            if self._ingest is not None:
                self._ingest.stop()
            self._thread.shutdown()
            if self._running is not None:
                self._running.result()
        finally:
            if self._store is not None:
                self._store.close()

    @property
    def alive(self) -> bool:
        """Whether reading goes on."""
        return self._running is not None and not self._running.done()


def _log_end(ended: "Future[None]") -> None:
    """Nobody waits for the thread; the gateway is no longer ready and its log must say why."""
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.error("status_ingest_ended", exc_info=error)
