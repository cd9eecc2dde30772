"""Is there a Kafka at this address: asked as a client would, by fetching metadata."""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError


def answers(
    bootstrap_servers: str, *, arguments: Mapping[str, Any] | None = None, timeout_seconds: float = 5
) -> bool:
    """Whether a client gets the metadata of at least one broker. Safe to call beside a running loop."""
    if not any(_listens(address) for address in bootstrap_servers.split(",")):
        return False
    with ThreadPoolExecutor(max_workers=1) as own_thread:
        probe = _metadata(bootstrap_servers, dict(arguments or {}), timeout_seconds)
        return own_thread.submit(asyncio.run, probe).result()


def _listens(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


async def _metadata(bootstrap_servers: str, arguments: dict[str, Any], timeout_seconds: float) -> bool:
    client = AIOKafkaClient(
        bootstrap_servers=bootstrap_servers,
        request_timeout_ms=int(timeout_seconds * 1000),
        **arguments,
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.bootstrap()
            return bool(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
        # The transports close on the loop's next turns, and the loop ends here.
        await asyncio.sleep(0.01)
