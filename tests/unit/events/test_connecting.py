"""Clients that are stopped while they begin."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import ApiVersionResponse_v0

from events.connecting import enter

API_VERSIONS = 18


class Unhelpful:
    """A broker that says what it can do, and then nothing: nobody gets to know the cluster."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.address = ""
        self._writers: list[asyncio.StreamWriter] = []

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        versions = [(key, 0, 1) for key in range(API_VERSIONS + 1)]
        body = ApiVersionResponse_v0(error_code=0, api_versions=versions).encode()
        try:
            while True:
                request = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
                if int.from_bytes(request[:2], "big") != API_VERSIONS:
                    self.asked.set()
                    continue
                answer = request[4:8] + body
                writer.write(len(answer).to_bytes(4, "big") + answer)
        except asyncio.IncompleteReadError:
            self.hang_up()


@asynccontextmanager
async def unhelpful() -> AsyncIterator[Unhelpful]:
    broker = Unhelpful()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    broker.address = f"{host}:{port}"
    try:
        yield broker
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("client", [AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient])
async def test_a_client_cancelled_while_it_begins_leaves_no_connection(client: Callable[..., Any]) -> None:
    async with unhelpful() as broker:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            entering = asyncio.create_task(enter(client(bootstrap_servers=broker.address)))
            await broker.asked.wait()
            entering.cancel()
            await asyncio.sleep(0)  # the cancellation is on its way
            broker.hang_up()
            with pytest.raises(asyncio.CancelledError):
                await entering
            del entering
            gc.collect()
    assert [str(each.message) for each in seen if each.category is ResourceWarning] == []
