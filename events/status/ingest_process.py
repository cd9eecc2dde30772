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
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[str, Any] | None = None
        self._view: FollowingView | None = None
        self._first = Progress()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self) -> View:
        """The database. Raises InvalidSettings when it cannot be used, or nobody begins to read."""
        if self._view is None:
            self._begin()
            self._view = open_following(self._folder)
        return self._view

    def start(self, tell: Tell) -> None:
        """Read from now on. `tell` is called in a thread, but the first time before this returns."""
        assert self._view is not None, "open it first"
        tell(self._first)
        self._thread = threading.Thread(
            target=self._take, args=(self._view, tell), name="status-ingest", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Blocking for a moment; the process is gone then."""
        self._stopping.set()
        if self._connection is not None:
            try:
                self._connection.send(_STOP)
            except OSError:
                pass  # gone already
        self._end()
        if self._thread is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
        if self._view is not None:
            self._view.close()

    @property
    def alive(self) -> bool:
        """Whether reading goes on, or will again."""
        return self._thread is not None and self._thread.is_alive()

    def _begin(self) -> "Connection[str, Any]":
        ours, theirs = Pipe()
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen(
                [*self._command, str(end)], pass_fds=[end], stdin=subprocess.DEVNULL
            )
        self._connection = ours
        try:
            first = ours.recv() if ours.poll(BEGIN_SECONDS) else None
        except (EOFError, OSError):
            first = None
        if isinstance(first, Progress):
            self._first = first
            return ours
        self._end()
        raise InvalidSettings(
            first or "The process that reads for the read model did not begin; its log says why."
        )

    def _end(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(2 * STOP_SECONDS if self._stopping.is_set() else AGAIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _take(self, view: FollowingView, tell: Tell) -> None:
        while True:
            assert self._connection is not None
            try:
                told: list[Progress] = [self._connection.recv()]
                while self._connection.poll():
                    told.append(self._connection.recv())
            except (EOFError, OSError):
                if self._stopping.is_set() or not self._begin_again():
                    return
                told = [self._first]
                view.open_again()
            view.catch_up(told[-1].write)
            for progress in told:
                tell(progress)

    def _begin_again(self) -> bool:
        self._end()
        log.error("status_ingest_ended", exit_code=self._process and self._process.returncode)
        for _ in range(TRIES):
            if self._stopping.wait(AGAIN_SECONDS):
                return False
            try:
                connection = self._begin()
            except InvalidSettings as error:
                log.error("status_ingest_not_started", error=str(error))
                continue
            if not self._stopping.is_set():
                return True
            connection.close()  # nobody told this one
            self._end()
        return False


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
