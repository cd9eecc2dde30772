"""Reading in a process of its own, so that answers never wait for Python's lock; and the way it is told.

Both ends share a socket: the child sends its `Progress`, first of all everything or why it cannot begin; its
parent sends one word when it shall stop. Whoever finds the other end closed knows that it is gone.
"""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final

import structlog

from events.errors import InvalidSettings
from events.status.ingest import Ingest
from events.status.known import Progress, Tell
from events.status.settings import StatusSettings
from events.status.store import FollowingView, View, open_following, open_store

log = structlog.get_logger(__name__)

BEGIN_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 1.0
TRIES: Final = 5  # that end before they began, one after the other
_STOP: Final = "stop"


class IngestProcess:
    """Starts the process that feeds the database, and follows what it writes.

    `command` is what to start; it gets the number of its end of the socket as a further argument, and calls
    `ingest_for`. One that ends by itself is started again.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._child: _Child | None = None
        self._view: FollowingView | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self) -> View:
        """The database. Raises InvalidSettings when it cannot be used, or nobody begins to read."""
        if self._view is None:
            self._child = _Child(self._command)
            self._view = open_following(self._folder)
        return self._view

    def start(self, tell: Tell) -> None:
        """Read from now on. `tell` is called in a thread, but the first time before this returns."""
        assert self._child is not None, "open it first"
        assert self._view is not None
        tell(self._child.first)
        self._thread = threading.Thread(
            target=self._take, args=(self._child, self._view, tell), name="status-ingest", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Blocking for a moment; the process is gone then."""
        self._stopping.set()
        if self._child is not None:
            self._child.stop()
            self._child.wait(2 * STOP_SECONDS)
        if self._thread is not None:
            self._thread.join()
        if self._child is not None:
            self._child.connection.close()
        if self._view is not None:
            self._view.close()

    @property
    def alive(self) -> bool:
        """Whether reading goes on, or will again."""
        return self._thread is not None and self._thread.is_alive()

    def _take(self, child: "_Child", view: FollowingView, tell: Tell) -> None:
        while True:
            told: list[Progress] = []
            try:
                told.append(child.connection.recv())
                while child.connection.poll():
                    told.append(child.connection.recv())
            except (EOFError, OSError):
                again = self._begin_again(child)
                if again is None:
                    return
                self._child = child = again
                told.append(child.first)
                view.open_again()
            view.catch_up(told[-1].write)
            for progress in told:
                tell(progress)

    def _begin_again(self, ended: "_Child") -> "_Child | None":
        exit_code = ended.wait(AGAIN_SECONDS)
        if self._stopping.is_set():
            return None
        log.error("status_ingest_ended", exit_code=exit_code)
        ended.connection.close()
        for _ in range(TRIES):
            if self._stopping.wait(AGAIN_SECONDS):
                return None
            try:
                child = _Child(self._command)
            except InvalidSettings as error:
                log.error("status_ingest_not_started", error=str(error))
                continue
            if not self._stopping.is_set():
                return child
            child.connection.close()  # nobody told this one
            child.wait(AGAIN_SECONDS)
        return None


class _Child:
    """The process once it has opened its database. `first` is what it knew then. Raises InvalidSettings."""

    def __init__(self, command: Sequence[str]) -> None:
        self.connection: Connection[str, Any]
        self.connection, theirs = Pipe()
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen([*command, str(end)], pass_fds=[end], stdin=subprocess.DEVNULL)
        try:
            told = self.connection.recv() if self.connection.poll(BEGIN_SECONDS) else None
        except (EOFError, OSError):
            told = None
        if not isinstance(told, Progress):
            self.connection.close()
            self.wait(AGAIN_SECONDS)
            raise InvalidSettings(
                told or "The process that reads for the read model did not begin; its log says why."
            )
        self.first = told

    def stop(self) -> None:
        """Tell it to stop, if it is there."""
        with suppress(OSError):
            self.connection.send(_STOP)

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended; it is made to after these seconds."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def ingest_for(connection: "Connection[Any, str]", settings: StatusSettings) -> None:
    """Read until the other end says to stop, or is gone."""
    try:
        store = open_store(settings.status_dir, app_id=settings.app_id)
    except InvalidSettings as error:
        connection.send(str(error))
        return
    ingest = Ingest(settings, store, connection.send)
    threading.Thread(target=_obey, args=(connection, ingest), daemon=True).start()
    try:
        asyncio.run(ingest.run())
    finally:
        store.close()


def _obey(connection: "Connection[Any, str]", ingest: Ingest) -> None:
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(0)  # nobody is there to read for; what is written stays
    ingest.stop()
    time.sleep(STOP_SECONDS)
    os._exit(0)  # Kafka may be away
