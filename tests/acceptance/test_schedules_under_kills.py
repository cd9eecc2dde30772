"""Schedules of every second while workers are killed: each time exactly once, none missing, and what a
release removed stays removed when an older worker comes back.
"""

import asyncio
import time
from pathlib import Path

from events.broker import LocalBroker
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.topics import ledger_topic
from schemas.state import decode_state, is_reserved
from tests.integration.observing import Note, notes
from tests.integration.scheduling import cursor, lines, scheduling_worker, ticks
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

NAMES = [f"second-{number}" for number in range(8)]
WANTED = 220
KILLS = 3
PARTITIONS = 4
OPTIONS = {"every": 1, "missed": "all"}


def worker(broker: str, folder: Path, name: str, names: list[str], release: str) -> TaskWorker:
    """Workers share the raw log, each has its own disk and its own log."""
    own = folder / name
    own.mkdir(exist_ok=True)
    made = scheduling_worker(
        broker,
        "kills",
        own,
        {each: dict(OPTIONS) for each in names},
        release=release,
        jobs_partitions=PARTITIONS,
        session_timeout_seconds=6,
        worker_name=name,
        RAW_LOG=str(folder / "raw.log"),
    )
    made.measured = False
    return made


async def test_each_time_once_under_kills(chaos_broker: LocalBroker, tmp_path: Path) -> None:
    servers = chaos_broker.bootstrap_servers
    workers = [worker(servers, tmp_path, name, NAMES, "10") for name in ("a", "b")]
    killed: set[int] = set()
    try:
        await asyncio.gather(*(each.start() for each in workers))
        for kill in range(KILLS):
            so_far = total(tmp_path)
            await until(lambda so_far=so_far: total(tmp_path) >= so_far + 40, within_seconds=60)  # type: ignore[misc]
            victim = workers[kill % 2]
            assert victim.process is not None
            killed.add(victim.process.pid)
            await victim.kill()
            await victim.start()
        await until(lambda: total(tmp_path) >= WANTED, within_seconds=60)
        await until(lambda: all(len(ticks(tmp_path, name)) >= 20 for name in NAMES), within_seconds=60)
    finally:
        for each in workers:
            await each.stop()
    for name in NAMES:
        seen = ticks(tmp_path, name)
        assert sorted(seen) == list(range(min(seen), max(seen) + 1, 1000)), f"{name}: a time is missing"
    fired = [line["job_id"] for each in ("a", "b") for line in lines(tmp_path / each, "schedule_fired")]
    assert len(fired) == len(set(fired)), "no time was fired twice"
    assert_repeats_are_of(killed, tmp_path)
    await assert_ended_once(servers, tmp_path)


async def test_an_old_worker_brings_nothing_back(chaos_broker: LocalBroker, tmp_path: Path) -> None:
    servers = chaos_broker.bootstrap_servers
    old, new = (
        worker(servers, tmp_path, "old", NAMES, "9"),
        worker(servers, tmp_path, "new", NAMES[:4], "10"),
    )
    try:
        await old.start()
        await until(lambda: all(ticks(tmp_path, name) for name in NAMES), within_seconds=60)
        await new.start()
        await until(lambda: removed(tmp_path) == set(NAMES[4:]), within_seconds=60)
        gone_ms = time.time_ns() // 1_000_000
        await old.kill()
        await old.start()
        await new.kill()  # the old one is alone, and owns every cursor
        before = {name: len(ticks(tmp_path, name)) for name in NAMES[:4]}
        await until(
            lambda: all(len(ticks(tmp_path, name)) >= before[name] + 3 for name in NAMES[:4]),
            within_seconds=60,
        )
        for name in NAMES[4:]:
            assert await cursor(servers, "kills", name) is None
            # A time before that whose run a kill cut off is made up for; none after it runs.
            assert max(ticks(tmp_path, name)) <= gone_ms
    finally:
        for each in (old, new):
            await each.stop()


def total(folder: Path) -> int:
    return sum(len(ticks(folder, name)) for name in NAMES)


def removed(folder: Path) -> set[str]:
    return {line["schedule"] for each in ("old", "new") for line in lines(folder / each, "schedule_removed")}


def assert_repeats_are_of(killed: set[int], folder: Path) -> None:
    """A run that was cut off by a kill, or not yet settled then, is made up for; no other is run again."""
    runs: dict[str, list[Note]] = {}
    for note in notes(folder, "ticked"):
        runs.setdefault(note.job_id, []).append(note)
    for job_id, found in runs.items():
        assert {note.pid for note in found[:-1]} <= killed, f"{job_id} ran again though nobody cut it off"


async def assert_ended_once(broker: str, folder: Path) -> None:
    """By the ledger, every time of every schedule is one completed job."""
    settings = ClientSettings(bootstrap_servers=broker, app_id="kills")
    async with LogReader(settings) as reader:
        ended: dict[str, list[int]] = {name: [] for name in NAMES}
        async for record in reader.read([ledger_topic("kills", "jobs")]):
            if not is_reserved(record.key):
                document = decode_state(record.value).document
                assert document["state"] == "completed"
                ended[document["schedule"]].append(document["scheduled_ms"])
    for name in NAMES:
        assert sorted(ended[name]) == sorted(set(ended[name])), f"{name}: a time ended twice"
        assert set(ended[name]) >= set(ticks(folder, name)), f"{name}: a time did not end"
