"""One million jobs that wait for their time, up to a year: little memory, a quick restart, and punctual.

MILLION_JOBS chooses another number. What was measured is printed at the end.
"""

import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from events.broker import LocalBroker
from tests.acceptance.many_parked import (
    ask_for,
    finished_records,
    parked_records,
    peak_megabytes,
    punctuality,
)
from tests.integration.observing import observed_worker
from tests.integration.steering import end
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

JOBS = int(os.environ.get("MILLION_JOBS", "1000000"))
WARM_JOBS = min(JOBS, 100_000)
SLICE_JOBS = 2_000
SLICE_SPACING_MS = 5
YEAR_MS = 365 * 24 * 3600 * 1000
FIRST_AFTER_MS = 20 * 60 * 1000  # so that none of the million is due before the test ends
PARTITIONS = 6

MOST_MEGABYTES_MORE = 80
READY_ON_ITS_DISK_SECONDS = 15
READY_ON_AN_EMPTY_ONE_SECONDS = 60
LATE_SECONDS = 1.0


@pytest.mark.million
async def test_a_million_parked_jobs(tmp_path: Path, chaos_broker: LocalBroker) -> None:
    broker, app_id = chaos_broker.bootstrap_servers, f"m{uuid.uuid4().hex[:8]}"
    said: list[str] = []
    usual = await _peak_without_parked_jobs(broker, f"{app_id}-none", tmp_path)
    async with _worker(broker, app_id, tmp_path / "many") as worker:
        began = time.monotonic()
        await ask_for(broker, app_id, _over_a_year())
        await until(lambda: _parked(broker, app_id), within_seconds=900, saying="all are parked")
        said.append(f"parked {JOBS} in {time.monotonic() - began:.0f} s")
        said.append(await _slice_runs(broker, app_id, worker, "running", ahead_seconds=5))
        peak = _peak(worker)

        due = await _slice(broker, app_id, "same disk", ahead_seconds=READY_ON_ITS_DISK_SECONDS + 15)
        await worker.stop()
        same_disk = await _restarted(worker)
        said.append(await _punctual(broker, app_id, worker, due))
        peak = max(peak, _peak(worker))

        due = await _slice(broker, app_id, "empty disk", ahead_seconds=READY_ON_AN_EMPTY_ONE_SECONDS + 15)
        await worker.kill()
        shutil.rmtree(worker.folder / "state")
        empty_disk = await _restarted(worker)
        said.append(await _punctual(broker, app_id, worker, due))
        peak = max(peak, _peak(worker))
    said.append(f"peak {peak:.0f} MB, {peak - usual:+.0f} MB to a worker whose jobs are due at once")
    said.append(f"ready after {same_disk:.1f} s on its disk, {empty_disk:.1f} s on an empty one")
    print("\n" + "\n".join(said))
    assert peak - usual <= MOST_MEGABYTES_MORE
    assert same_disk <= READY_ON_ITS_DISK_SECONDS
    assert empty_disk <= READY_ON_AN_EMPTY_ONE_SECONDS


@asynccontextmanager
async def _worker(broker: str, app_id: str, folder: Path) -> AsyncIterator[TaskWorker]:
    folder.mkdir()
    worker = observed_worker(
        broker, app_id, folder, "timed", jobs_partitions=PARTITIONS, instance_id=f"{app_id}-1"
    )
    worker.measured = False
    try:
        await worker.start()
        yield worker
    finally:
        await end(worker)


async def _peak_without_parked_jobs(broker: str, app_id: str, folder: Path) -> float:
    """The most memory the same worker takes for as busy a stream of jobs that are due at once."""
    async with _worker(broker, app_id, folder / "none") as worker:
        await ask_for(broker, app_id, ((f"now/{number}", 1) for number in range(WARM_JOBS)))

        async def done() -> bool:
            return await finished_records(broker, app_id) >= WARM_JOBS

        await until(done, within_seconds=300, saying="the usual jobs are done")
        return _peak(worker)


def _over_a_year() -> "list[tuple[str, int]]":
    """Ids and times, in no order."""
    first = _now_ms() + FIRST_AFTER_MS
    return [(f"year/{n}", first + n * 7919 % JOBS * (YEAR_MS // JOBS)) for n in range(JOBS)]


async def _parked(broker: str, app_id: str) -> bool:
    return await parked_records(broker, app_id) >= JOBS


# -- a slice of them that becomes due


async def _slice(broker: str, app_id: str, name: str, *, ahead_seconds: float) -> dict[str, int]:
    """Some jobs that are due soon, parked among the million."""
    before, first = await parked_records(broker, app_id), _now_ms() + round(ahead_seconds * 1000)
    due = {f"{name}/{number}": first + number * SLICE_SPACING_MS for number in range(SLICE_JOBS)}
    await ask_for(broker, app_id, due.items())

    async def parked() -> bool:
        return await parked_records(broker, app_id) >= before + SLICE_JOBS

    await until(parked, within_seconds=ahead_seconds, saying="the slice is parked")
    return due


async def _slice_runs(
    broker: str, app_id: str, worker: TaskWorker, name: str, *, ahead_seconds: float
) -> str:
    return await _punctual(
        broker, app_id, worker, await _slice(broker, app_id, name, ahead_seconds=ahead_seconds)
    )


async def _restarted(worker: TaskWorker) -> float:
    """Seconds from its start until it is ready."""
    began = time.monotonic()
    await worker.start()
    return time.monotonic() - began


async def _punctual(broker: str, app_id: str, worker: TaskWorker, due: dict[str, int]) -> str:
    """They run once each, none early; those that were due while the worker was ready within a second."""
    ready_ms, folder = _now_ms(), worker.folder

    async def all_ran() -> bool:
        return not (await punctuality(broker, app_id, folder, due)).missing

    await until(all_ran, within_seconds=180, saying="the slice ran")
    found = await punctuality(broker, app_id, folder, due, ready_ms=ready_ms)
    name, worst = next(iter(due)).partition("/")[0], max(found.late_seconds, default=0.0)
    assert found.early == []
    assert found.repeated == set()
    assert len(found.late_seconds) == SLICE_JOBS, f"{name}: none was due before the worker was ready"
    assert worst <= LATE_SECONDS, f"{name}: {worst} s late"
    return f"{name}: {SLICE_JOBS} jobs, at most {worst:.3f} s late"


def _peak(worker: TaskWorker) -> float:
    assert worker.process is not None
    return peak_megabytes(worker.process.pid)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
