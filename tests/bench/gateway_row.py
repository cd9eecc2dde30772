"""The gateway row: `POST /jobs` of one gateway process beside FastAPI + ARQ, and bulk beside single.

`python -m tests.bench.gateway_row` runs it alone, with a broker and a Redis of its own.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Final

import orjson
from aiokafka import AIOKafkaProducer

from events.broker import LocalBroker
from events.topics import jobs_source, registry_topic
from tests.bench.http_load import Load, load, post
from tests.bench.kafka import admin
from tests.bench.redis_server import RedisServer
from tests.servers import free_port

PARTITIONS: Final = 6
ROUNDS: Final = 9
SECONDS: Final = 2.0
WARM_UP_SECONDS: Final = 2.0
BULK_ITEMS: Final = 1_000
BULK_CONNECTIONS: Final = 4
IDLE_SECONDS: Final = 0.3
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30

_JOB: Final = {
    "task": "send_email",
    "args": {"to": "somebody@airline.example", "subject": "Your flight", "body": "It leaves at 10:40. " * 5},
}
_TASK: Final = {
    "task": "send_email",
    "release": "1",
    "on": [],
    "schema": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("to", "subject", "body")},
        "required": ["to", "subject", "body"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True, slots=True)
class Side:
    """What one server did: jobs per second, and per second of its processor; milliseconds of a request."""

    jobs_per_second: float
    jobs_per_cpu_second: float
    p50_ms: float
    p99_ms: float


def measure(
    bootstrap_servers: str, redis_port: int, folder: Path, *, rounds: int = ROUNDS
) -> dict[str, Side]:
    """`gateway`, `bulk` (items of POST /jobs/bulk) and `arq`: medians of rounds in which they take turns, so
    that a machine whose speed changes is no advantage to any of them.

    Raises UnexpectedAnswer when a request is refused.
    """
    app_id = f"gateway-row-{os.getpid()}-{time.time_ns() % 10**9}"
    asyncio.run(_prepare(bootstrap_servers, app_id))
    single = post("/jobs", orjson.dumps(_JOB))
    many = post("/jobs/bulk", orjson.dumps([_JOB] * BULK_ITEMS))
    environment = {
        "HEADRACE_BOOTSTRAP_SERVERS": bootstrap_servers,
        "HEADRACE_APP_ID": app_id,
        "HEADRACE_GATEWAY_STATE_DIR": str(folder / "gateway"),
    }
    gateway = (sys.executable, "-c", "from consumers.cli import main; main()", "gateway")
    arq = (sys.executable, "-m", "tests.bench.workers.fastapi_arq")
    with (
        _server(gateway, environment, "HEADRACE_GATEWAY_PORT", folder / "gateway.log") as ours,
        _server(arq, {"REDIS_PORT": str(redis_port)}, "PORT", folder / "arq.log") as theirs,
    ):
        sides = {
            "gateway": _Asked(*ours, single, 202),
            "arq": _Asked(*theirs, single, 202),
            "bulk": _Asked(*ours, many, 200, items=BULK_ITEMS, connections=BULK_CONNECTIONS),
        }
        for side in sides.values():
            side.ask(WARM_UP_SECONDS)
        found: dict[str, list[Side]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                found[name].append(side.ask(SECONDS))
                side.settle()
    return {name: _median(each) for name, each in found.items()}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A server and what it is asked again and again."""

    port: int
    process: "subprocess.Popen[bytes]"
    request: bytes
    status: int
    items: int = 1
    connections: int = 32

    def ask(self, seconds: float) -> Side:
        before = _cpu_seconds(self.process.pid)
        result: Load = asyncio.run(
            load(self.port, self.request, seconds=seconds, status=self.status, connections=self.connections)
        )
        cpu = _cpu_seconds(self.process.pid) - before
        return Side(
            jobs_per_second=round(result.rate * self.items, 1),
            jobs_per_cpu_second=round(result.requests * self.items / cpu, 1),
            p50_ms=round(result.percentile(0.5), 2),
            p99_ms=round(result.percentile(0.99), 2),
        )

    def settle(self) -> None:
        """Return once the server works no more on what it was asked, such as reading it back."""
        while True:
            before = _cpu_seconds(self.process.pid)
            time.sleep(IDLE_SECONDS)
            if _cpu_seconds(self.process.pid) - before < IDLE_SECONDS / 10:
                return


def _median(sides: list[Side]) -> Side:
    return Side(*(statistics.median(each) for each in zip(*map(astuple, sides), strict=True)))


@contextmanager
def _server(
    command: tuple[str, ...], environment: dict[str, str], port_name: str, log_path: Path
) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    port = free_port()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **environment, port_name: str(port)}, stdout=log, stderr=log
        )
    try:
        _wait_ready(port, process, log_path)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(port: int, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server was not ready: {log_path.read_text(errors='replace')[-2000:]}")


def _cpu_seconds(pid: int) -> float:
    """Of a process and the children its main thread started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_cpu_seconds(int(child)) for child in children)


async def _prepare(bootstrap_servers: str, app_id: str) -> None:
    from aiokafka.admin import NewTopic

    async with admin(bootstrap_servers) as client:
        topics = [NewTopic(registry_topic(app_id), num_partitions=1, replication_factor=1)]
        topics += [
            NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)
            for name in jobs_source(app_id).topics
        ]
        await client.create_topics(topics)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(registry_topic(app_id), orjson.dumps(_TASK), key=b"task/send_email")


def main() -> None:
    """Print the row as JSON."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = LocalBroker(data_dir=folder / "broker").start()
        stack.callback(broker.erase)
        redis_port = free_port()
        stack.enter_context(RedisServer(port=redis_port, folder=folder))
        found = measure(broker.bootstrap_servers, redis_port, folder)
    print(
        orjson.dumps(
            {name: asdict(side) for name, side in found.items()}, option=orjson.OPT_INDENT_2
        ).decode()
    )


if __name__ == "__main__":
    main()
