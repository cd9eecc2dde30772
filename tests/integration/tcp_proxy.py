"""A proxy in front of a broker, in a thread of its own, that can cut the connections through it."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

RESET = struct.pack("ii", 1, 0)  # lingering for no time at all: the peer gets a reset instead of an end


@dataclass
class Proxy:
    """Clients of `port` talk to `target`, once that is known."""

    port: int
    target: int = 0
    random: Random = field(default_factory=lambda: Random(2013))
    resets: int = 0
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: dict[asyncio.StreamWriter, None] = field(default_factory=dict)

    def reset_one(self) -> None:
        """Cut a connection somebody uses now, chosen at random. From any thread."""
        self.loop.call_soon_threadsafe(self._reset_one)

    def _reset_one(self) -> None:
        if not self._open:
            return
        writer = self.random.choice(list(self._open))
        self.resets += 1
        _abort(writer)

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        try:
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_pump(reader, broker_writer), _pump(broker_reader, writer))
        except OSError:
            _abort(writer)
        finally:
            self._open.pop(writer, None)

    async def stop(self, server: asyncio.Server) -> None:
        server.close()
        for writer in list(self._open):
            _abort(writer)
        while self._open:
            await asyncio.sleep(0.01)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until either side ends, then end the other."""
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    _abort(writer)


def _abort(writer: asyncio.StreamWriter) -> None:
    peer = writer.get_extra_info("socket")
    with suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@contextmanager
def tcp_proxy(port: int) -> Iterator[Proxy]:
    """A proxy that listens; tell it its `target` before the first client comes."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(proxy.serve(), proxy.loop).result(30)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(server), proxy.loop).result(30)
        proxy.loop.call_soon_threadsafe(proxy.loop.stop)
        thread.join()
        proxy.loop.close()
