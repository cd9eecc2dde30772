"""The status row: records a gateway's read model takes in a second, and `GET /jobs/{id}` while it does.

`python -m tests.bench.status_row` runs it alone, with a broker of its own. Two figures: a backlog read as
fast as it goes, and a steady stream of 20,000 records/s beside which single jobs are asked for at a pace.
Where the machine cannot do all of that at once the stream is late, and whoever asks for a fresh job waits.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from events.broker import LocalBroker
from tests.bench.gateway_row import _cpu_seconds, _server
from tests.bench.status_feed import RECORDS_A_JOB, feed, job_id, make_topics

BACKLOG_JOBS: Final = 150_000
STREAM_RECORDS_PER_SECOND: Final = 20_000
STREAM_SECONDS: Final = 15
ASKED_PER_SECOND: Final = 100
CONNECTIONS: Final = 4
CATCH_UP_SECONDS: Final = 120
NOBODY: Final = 999_999_999
FEEDER_STARTS_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Status:
    """`fresh`: jobs of the stream as they change, `settled`: finished long ago. Milliseconds.

    `given_up`: the gateway said that it is too far behind.
    """

    backlog_records_per_second: float
    backlog_records_per_cpu_second: float
    stream_records_per_second: float
    fresh_p50_ms: float
    fresh_p99_ms: float
    fresh_given_up: int
    settled_p50_ms: float
    settled_p99_ms: float


def measure(
    bootstrap_servers: str, folder: Path, *, jobs: int = BACKLOG_JOBS, seconds: int = STREAM_SECONDS
) -> Status:
    """Raises RuntimeError when the gateway does not read everything, or answers anything but 200."""
    app_id = f"status-row-{os.getpid()}-{time.time_ns() % 10**9}"
    asyncio.run(make_topics(bootstrap_servers, app_id))
    pause = folder / "paused"
    pause.touch()
    environment = {
        "HEADRACE_BOOTSTRAP_SERVERS": bootstrap_servers,
        "HEADRACE_APP_ID": app_id,
        "HEADRACE_GATEWAY_STATE_DIR": str(folder / "status"),
        "HEADRACE_STATUS_PAUSE_FILE": str(pause),
        "HEADRACE_LOG_LEVEL": "WARNING",
    }
    gateway = (sys.executable, "-c", "from consumers.cli import main; main()", "gateway")
    pause.unlink()
    with _server(gateway, environment, "HEADRACE_GATEWAY_PORT", folder / "status.log") as (port, process):
        pause.touch()
        asyncio.run(feed(bootstrap_servers, app_id, range(jobs)))
        cpu, started = _cpu_seconds(process.pid), time.monotonic()
        pause.unlink()
        asyncio.run(_read_all(port, jobs))
        took, cpu = time.monotonic() - started, _cpu_seconds(process.pid) - cpu
        stream = STREAM_RECORDS_PER_SECOND * seconds // RECORDS_A_JOB
        pace = STREAM_RECORDS_PER_SECOND / RECORDS_A_JOB
        fed = (str(jobs), str(stream), str(pace))
        feeder = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.status_feed", bootstrap_servers, app_id, *fed]
        )
        began = time.monotonic()
        fresh, settled, given_up = asyncio.run(_ask(port, jobs, pace, feeder))
        asyncio.run(_read_all(port, jobs + stream))
        streamed = time.monotonic() - began
    return Status(
        backlog_records_per_second=round(jobs * RECORDS_A_JOB / took),
        backlog_records_per_cpu_second=round(jobs * RECORDS_A_JOB / cpu),
        stream_records_per_second=round(stream * RECORDS_A_JOB / streamed),
        fresh_p50_ms=_percentile(fresh, 0.5),
        fresh_p99_ms=_percentile(fresh, 0.99),
        fresh_given_up=given_up,
        settled_p50_ms=_percentile(settled, 0.5),
        settled_p99_ms=_percentile(settled, 0.99),
    )


def _percentile(waited: list[float], share: float) -> float:
    ordered = sorted(waited)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


async def _read_all(port: int, jobs: int) -> None:
    """Return once all is read: an unknown job is one only then, and 503 says that it takes longer."""
    connection = await _Connection.open(port)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while (status := await connection.status_of(NOBODY)) != 404:
        if status != 503 or time.monotonic() > deadline:
            raise RuntimeError(f"the gateway did not read all, but answered {status}")
    overview = orjson.loads(await connection.get("/overview"))
    if overview["states"].get("completed") != jobs:
        raise RuntimeError(f"the gateway read something else than {jobs} jobs: {overview}")
    connection.close()


async def _ask(
    port: int, jobs: int, pace: float, feeder: "subprocess.Popen[bytes]"
) -> tuple[list[float], list[float], int]:
    """Ask at a steady pace that waits for no answer, for as long as the feeder feeds."""
    fresh: list[float] = []
    settled: list[float] = []
    # Of their own, so that one kind of question does not wait behind the other.
    pools = [asyncio.Queue[_Connection](), asyncio.Queue[_Connection]()]
    for pool in pools:
        for _ in range(CONNECTIONS):
            pool.put_nowait(await _Connection.open(port))
    await asyncio.sleep(FEEDER_STARTS_SECONDS)
    started = time.monotonic()
    chance = random.Random(7)
    others: Counter[int] = Counter()  # 404: asked for before the feeder wrote it

    async def one(number: int, waited: list[float], pool: "asyncio.Queue[_Connection]") -> None:
        began = time.perf_counter()
        connection = await pool.get()
        status = await connection.status_of(number)
        if status != 200:
            others[status] += 1
        waited.append((time.perf_counter() - began) * 1000)
        pool.put_nowait(connection)

    async with asyncio.TaskGroup() as group:
        asked = 0
        while feeder.poll() is None:
            await asyncio.sleep(max(0.0, started + asked / ASKED_PER_SECOND - time.monotonic()))
            newest = int((time.monotonic() - started) * pace)
            if asked % 2:
                group.create_task(one(jobs + chance.randrange(max(1, newest)), fresh, pools[0]))
            else:
                group.create_task(one(chance.randrange(jobs), settled, pools[1]))
            asked += 1
    if feeder.returncode:
        raise RuntimeError("the feeder failed")
    if others.keys() - {404, 503}:
        raise RuntimeError(f"the gateway answered {dict(others)}")
    return fresh, settled, others[503]


class _Connection:
    """One HTTP connection, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str) -> bytes:
        status, body = await self._ask(path)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:300]!r}")
        return body

    async def status_of(self, number: int) -> int:
        return (await self._ask(f"/jobs/{job_id(number)}"))[0]

    async def _ask(self, path: str) -> tuple[int, bytes]:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        body = await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        self._writer.close()


def main() -> None:
    """Print the row as JSON."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = LocalBroker(data_dir=folder / "broker").start()
        stack.callback(broker.erase)
        found: dict[str, Any] = asdict(measure(broker.bootstrap_servers, folder))
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
