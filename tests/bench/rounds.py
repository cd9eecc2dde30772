"""One measurement: fill, start the worker, wait for its tally, check what it left behind, clean up."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from events.broker.ports import free_port
from tests.bench import kafka, latency
from tests.bench.contest import LATENCY_PER_SECOND, Contender, Duty, Row
from tests.bench.figures import jobs_per_second, percentile
from tests.bench.process import WorkerProcess
from tests.bench.redis_server import RedisServer
from tests.bench.settled import settled
from tests.bench.tally import STEP

START_SECONDS = 60
SLOWEST_JOBS_PER_SECOND = 300
SETTLE_SECONDS = 30
INPUT = {Row.EMPTY: "bench.empty", Row.IO: "bench.io"}


class RunDoesNotAddUp(RuntimeError):
    """Headrace's state topics do not hold one finished job for every event."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many jobs each row has. A Redis peer gets fewer: enough for a steady 15 s."""

    events: int

    def jobs(self, contender: Contender, row: Row) -> int:
        """A multiple of the tally's step, so that the last job is noted."""
        share = 1.0 if row is Row.EMPTY else 0.5
        if contender.feed == "redis":
            share *= 2 / 15
        return max(int(self.events * share) // STEP, 2) * STEP

    @property
    def latency_messages(self) -> int:
        """Ten seconds of the steady pace in a full run."""
        return min(10 * LATENCY_PER_SECOND, max(self.events // 300, 100))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One contender in one row, once. Figures by name: `value`, for latency `p50` and `p99`."""

    figures: dict[str, float]
    peak_megabytes: float
    cpu_microseconds_per_job: float


class Rounds:
    """Measures on one broker and one Redis (None: Redis contenders cannot run)."""

    def __init__(self, *, bootstrap_servers: str, redis: RedisServer | None, sizes: Sizes) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._redis = redis
        self._sizes = sizes

    def preload(self, row: Row, contender: Contender) -> float:
        """Fills the topic Kafka contenders read in `row`; seconds it took."""
        return asyncio.run(
            kafka.preload(self._bootstrap_servers, INPUT[row], self._sizes.jobs(contender, row))
        )

    def measure(self, contender: Contender, row: Row, number: int) -> Measurement:
        """Round `number` of a row. Raises WorkerFailed or RunDoesNotAddUp."""
        group = f"bench-{row.name.lower()}-{contender.name}-{number}"
        with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
            duty = Duty(
                row=row,
                topic=INPUT.get(row, f"{group}.in"),
                group=group,
                tally=str(Path(folder) / "tally"),
                bootstrap_servers=self._bootstrap_servers,
                redis_port=str(self._redis.port) if self._redis else "",
            )
            self._fill(contender, duty)
            environment = duty.environment() | (_headrace(duty, folder) if contender.is_headrace else {})
            with WorkerProcess(contender=contender, environment=environment, folder=Path(folder)) as worker:
                run = self._latency if row is Row.LATENCY else self._throughput
                measurement = run(contender, duty, worker)
        asyncio.run(kafka.drop_topics(self._bootstrap_servers, group))
        return measurement

    def _fill(self, contender: Contender, duty: Duty) -> None:
        if self._redis and contender.feed == "redis":
            from tests.bench.redis_feed import preload_arq  # needs the extra `bench`

            with self._redis.client() as client:
                client.flushall()
                if duty.row is not Row.LATENCY:
                    preload_arq(client, self._sizes.jobs(contender, duty.row))
        elif duty.row is Row.LATENCY:
            asyncio.run(kafka.make_topic(self._bootstrap_servers, duty.topic))

    def _throughput(self, contender: Contender, duty: Duty, worker: WorkerProcess) -> Measurement:
        jobs = self._sizes.jobs(contender, duty.row)
        worker.wait(bool, within_seconds=START_SECONDS)
        started_cpu, started_jobs = worker.cpu_seconds(), worker.tally()[-1][0]
        worker.wait(lambda tally: tally[-1][0] >= jobs, within_seconds=jobs / SLOWEST_JOBS_PER_SECOND)
        cpu_seconds, peak = worker.cpu_seconds() - started_cpu, worker.peak_megabytes()
        settled_ns = self._settled(duty, jobs) if contender.is_headrace else 0
        return Measurement(
            figures={"value": jobs_per_second(worker.tally(), settled_ns=settled_ns)},
            peak_megabytes=peak,
            cpu_microseconds_per_job=cpu_seconds / max(jobs - started_jobs, STEP) * 1e6,
        )

    def _settled(self, duty: Duty, jobs: int) -> int:
        found = asyncio.run(
            settled(
                self._bootstrap_servers, duty.group, duty.topic, events=jobs, within_seconds=SETTLE_SECONDS
            )
        )
        problem = found.problem(jobs)
        if problem:
            raise RunDoesNotAddUp(f"headrace, {duty.row}: {problem}")
        return found.last_ns

    def _latency(self, contender: Contender, duty: Duty, worker: WorkerProcess) -> Measurement:
        messages = self._sizes.latency_messages
        waited, cpu_seconds = latency.measure(contender, duty, worker, messages=messages)
        return Measurement(
            figures={"p50": percentile(waited, 0.5), "p99": percentile(waited, 0.99)},
            peak_megabytes=worker.peak_megabytes(),
            cpu_microseconds_per_job=cpu_seconds / messages * 1e6,
        )


def _headrace(duty: Duty, folder: str) -> dict[str, str]:
    return {
        "HEADRACE_BOOTSTRAP_SERVERS": duty.bootstrap_servers,
        "HEADRACE_APP_ID": duty.group,
        "HEADRACE_TASK_MODULES": "tests.bench.tasks",
        "HEADRACE_STATE_DIR": str(Path(folder) / "state"),
        "HEADRACE_HOST": "127.0.0.1",
        "HEADRACE_PORT": str(free_port()),
    }
