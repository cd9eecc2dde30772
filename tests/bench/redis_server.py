"""A Redis of our own on loopback, in memory only, for the peers that need one."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import redis

READY_SECONDS = 20
STOP_SECONDS = 10


class RedisMissing(RuntimeError):
    """There is no redis-server on PATH: its contenders are left out."""


class RedisServer:
    """Starts on entering, stops by its pid on leaving."""

    def __init__(self, *, port: int, folder: Path) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("redis-server")
        if program is None:
            raise RedisMissing("redis-server is not on PATH: `apt-get install redis-server` brings it")
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        self._wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    def client(self) -> "redis.Redis":
        """A blocking client. Its package comes with the extra `bench`."""
        import redis

        return redis.Redis(host="127.0.0.1", port=self.port)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
