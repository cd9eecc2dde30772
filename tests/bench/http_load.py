"""As many requests as a server takes, over connections that stay open. Raw sockets: the client must not be
what is measured."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

CONNECTIONS: Final = 32
ANSWER_SECONDS: Final = 60


class UnexpectedAnswer(RuntimeError):
    """A request was not answered as it must be; the message holds the answer's beginning."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests answered, in how many seconds; milliseconds of each, sorted."""

    requests: int
    seconds: float
    waited_ms: list[float]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        return self.waited_ms[min(len(self.waited_ms) - 1, int(len(self.waited_ms) * share))]


def post(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """A whole HTTP/1.1 request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(
    port: int, request: bytes, *, seconds: float, status: int, connections: int = CONNECTIONS
) -> Load:
    """Send `request` again and again for so long. Raises UnexpectedAnswer for any other status."""
    waited: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_one(port, request, f"HTTP/1.1 {status} ".encode(), until, waited))
    took = time.perf_counter() - started
    return Load(len(waited), took, sorted(waited))


async def _one(port: int, request: bytes, expected: bytes, until: float, waited: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16 << 20)
    try:
        while (began := time.perf_counter()) < until:
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)
            body = await reader.readexactly(_length(head))
            if not head.startswith(expected):
                raise UnexpectedAnswer(f"{head[:200]!r} {body[:500]!r}")
            waited.append((time.perf_counter() - began) * 1000)
    finally:
        writer.close()


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[at : head.index(b"\r\n", at)])
