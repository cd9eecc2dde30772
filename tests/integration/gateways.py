"""Gateways in this process and in their own, and what workers announce to them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
from aiokafka import AIOKafkaProducer

from events.gateway.app import create_app, running
from events.gateway.parts import Parts, Status
from events.gateway.settings import GatewaySettings
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.topics import jobs_source, registry_topic
from schemas.job import JobRequested
from tests.integration.conftest import MakeTopic
from tests.integration.task_worker import HEADRACE
from tests.servers import free_port
from tests.waiting import until

EMAIL: dict[str, Any] = {
    "task": "send_email",
    "schema": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "copies": {"type": "integer"}},
        "required": ["to"],
        "additionalProperties": False,
    },
    "on": [],
    "priority": "normal",
}


async def announced_topics(
    make_topic: MakeTopic, broker: str, app_id: str, *tasks: dict[str, Any], partitions: int = 2
) -> None:
    """The topics a gateway needs, with these tasks announced."""
    await make_topic(registry_topic(app_id), exact=True)
    for topic in jobs_source(app_id).topics:
        await make_topic(topic, partitions=partitions, exact=True)
    await announce(broker, app_id, *(tasks or (EMAIL,)))


async def announce(broker: str, app_id: str, *tasks: dict[str, Any]) -> None:
    """Say what a worker would say of its tasks."""
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        for task in tasks:
            key = f"task/{task['task']}".encode()
            document = {"release": "1", **task}
            await producer.send_and_wait(registry_topic(app_id), orjson.dumps(document), key=key)


@dataclass
class Gateway:
    """One in this process: a client of it, and its parts."""

    client: httpx2.AsyncClient
    parts: Parts


@asynccontextmanager
async def gateway(
    broker: str, app_id: str, *, status: Status | None = None, wait: bool = True, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway on the real Kafka, ready; settings by their names."""
    given = GatewaySettings(bootstrap_servers=broker, app_id=app_id, **settings)
    app = create_app(given, status=status)
    parts: Parts = app.state.parts
    transport = httpx2.ASGITransport(app=app)
    async with (
        running(parts),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        if wait:
            await until(lambda: _is_ready(client), saying="the gateway is ready")
        yield Gateway(client, parts)


async def _is_ready(client: httpx2.AsyncClient) -> bool:
    answer = await client.get("/health/ready")
    return answer.status_code == 200


@dataclass
class GatewayProcess:
    """`headrace gateway` in a process of its own."""

    bootstrap_servers: str
    app_id: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def launch(self) -> None:
        self.port = free_port()
        environment = {
            **os.environ,
            "HEADRACE_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "HEADRACE_APP_ID": self.app_id,
            "HEADRACE_GATEWAY_PORT": str(self.port),
            "HEADRACE_GATEWAY_STATE_DIR": str(self.folder / f"gateway-{self.port}"),
            "HEADRACE_LOG_FORMAT": "json",
            **self.settings,
        }
        with open(self.folder / "gateway.log", "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *HEADRACE, "gateway", env=environment, stdout=log, stderr=log
            )

    async def start(self) -> None:
        """Return when it is ready."""
        await self.launch()
        await until(self.ready, within_seconds=60, saying="the gateway is ready")

    async def ready(self) -> bool:
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"the gateway ended: {self.log()[-4000:]}")
        async with httpx2.AsyncClient() as client:
            try:
                return (await client.get(f"{self.url}/health/ready")).status_code == 200
            except httpx2.TransportError:
                return False

    def readers(self) -> list[int]:
        """The processes it has started."""
        assert self.process is not None
        found = []
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():  # each has its own children
            with suppress(FileNotFoundError):
                found += [int(child) for child in (thread / "children").read_text().split()]
        return found

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), 60)
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()


async def requests_of(broker: str, app_id: str) -> list[JobRequested]:
    """Every request in the jobs topics."""
    async with LogReader(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as reader:
        records = [record async for record in reader.read(jobs_source(app_id).topics)]
    return [JobRequested.model_validate_json(record.value) for record in records]
