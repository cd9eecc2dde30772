"""The built-in tasks in real worker processes, and what a test sends them."""

import asyncio
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from events.codec import encode
from events.connecting import leave
from events.queue_options import EnqueueOptions
from events.requests import request_event
from events.topics import dlq_topic
from schemas.domain import DomainEvent
from tests.servers import free_port
from tests.waiting import until

HEADRACE = [sys.executable, "-c", "from consumers.cli import main; main()"]


@dataclass
class TaskWorker:
    """One worker process that can be killed and started again. Its topics begin with `app_id`."""

    bootstrap_servers: str
    app_id: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    port: int = 0
    measured: bool = True  # whether coverage counts its lines; where many jobs matter more, no

    async def start(self) -> None:
        """Return when it is ready."""
        await self.launch()
        await until(self.ready, within_seconds=90, saying="the worker is ready")

    async def launch(self) -> None:
        """Start the process, ready or not."""
        self.port = free_port()
        with open(self.folder / "worker.log", "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *HEADRACE, "worker", env={**self._inherited(), **self._environment()}, stdout=log, stderr=log
            )

    def _inherited(self) -> dict[str, str]:
        return {
            name: value
            for name, value in os.environ.items()
            if self.measured or not name.startswith("COVERAGE_")
        }

    def _environment(self) -> dict[str, str]:
        return {
            "HEADRACE_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "HEADRACE_APP_ID": self.app_id,
            "HEADRACE_STATE_DIR": str(self.folder / "state"),
            "HEADRACE_HOST": "127.0.0.1",
            "HEADRACE_PORT": str(self.port),
            "HEADRACE_LOG_FORMAT": "json",
            "HEADRACE_DEFAULT_PARTITIONS": "2",
            "HEADRACE_JOBS_PARTITIONS": "2",
            "HEADRACE_TASKS_DATA_DIR": str(self.folder / "data"),
            **self.settings,
        }

    async def ready(self) -> bool:
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"the worker ended: {(self.folder / 'worker.log').read_text()[-4000:]}")
        return await asyncio.to_thread(_answers, f"http://127.0.0.1:{self.port}/health/ready")

    async def kill(self) -> None:
        """kill -9, as a machine that dies does it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 60)
        finally:
            if self.process.returncode is None:
                await self.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@asynccontextmanager
async def task_worker(
    bootstrap_servers: str, app_id: str, folder: Path, **settings: object
) -> AsyncIterator[TaskWorker]:
    """A worker that is ready; settings by their names without prefix, as in TaskSettings."""
    environment = {f"HEADRACE_TASKS_{name.upper()}": str(value) for name, value in settings.items()}
    worker = TaskWorker(bootstrap_servers, app_id, folder, environment)
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()


async def publish(bootstrap_servers: str, *events: tuple[str, DomainEvent], source: str) -> None:
    """Publish (id, event) pairs to the topics of the events, in their order."""
    records = []
    for id, event in events:
        value, headers = encode(event.to_event(source=source, id=id))
        records.append((event.topic, (event.key() or id).encode(), value, headers))
    await _send(bootstrap_servers, records)


async def enqueue(bootstrap_servers: str, app_id: str, task: str, job_id: str, **args: Any) -> None:
    """Ask for one job."""
    topic, key, request = request_event(app_id, task, args, EnqueueOptions(job_id=job_id))
    value, headers = encode(request)
    await _send(bootstrap_servers, [(topic, key, value, headers)])


async def _send(bootstrap_servers: str, records: list[tuple[str, bytes, Any, Any]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = [
            await producer.send(topic, value, key, headers=headers) for topic, key, value, headers in records
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def dead_letter(bootstrap_servers: str, app_id: str, job_id: str) -> dict[str, str]:
    """The headers of a job's dead letter, waited for."""
    consumer = AIOKafkaConsumer(
        dlq_topic(app_id, "jobs"), bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            async for record in consumer:
                headers = {name: value.decode() for name, value in record.headers}
                if headers["headrace-job-id"] == job_id:
                    return headers
        raise AssertionError
    finally:
        await leave(consumer)


def lines_of(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
