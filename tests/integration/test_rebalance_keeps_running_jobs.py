"""Workers join and leave while jobs run: jobs on partitions that stay are neither repeated nor lost."""

from collections import defaultdict
from pathlib import Path

import pytest

from schemas.cloudevent import CloudEvent
from tests.integration.observing import notes
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    told_to_stop,
    until_finished,
    until_started,
)
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

PARTITIONS = 6


def pid_of(worker: TaskWorker) -> int:
    assert worker.process is not None
    return worker.process.pid


def runs_of(folder: Path, events: list[CloudEvent]) -> dict[int, list[int]]:
    """Which processes began the jobs of each partition, in order; the same for all jobs of it."""
    by_event = defaultdict(list)
    for note in notes(folder, "started"):
        by_event[note.event_id].append(note.pid)
    runs = {}
    for partition in range(PARTITIONS):
        (pids,) = {tuple(by_event[event.id]) for event in events[partition::PARTITIONS]}
        runs[partition] = list(pids)
    return runs


@pytest.mark.parametrize("before", [1, 2])
async def test_a_worker_joins_and_leaves(broker: str, app_id: str, tmp_path: Path, before: int) -> None:
    gates = [tmp_path / "gate-0", tmp_path / "gate-1"]
    first, second = (asks(PARTITIONS * 4, name=gate.name, gate=str(gate), steps=1) for gate in gates)
    settings = {"default_partitions": PARTITIONS, "drain_seconds": 1}
    olds = [steered(broker, app_id, tmp_path, name, **settings) for name in "ab"[:before]]
    new = steered(broker, app_id, tmp_path, "c", **settings)
    async with running(*olds):
        await publish_spread(broker, app_id, first, partitions=PARTITIONS)
        await until_started(tmp_path, first)
        owners = {partition: pids[0] for partition, pids in runs_of(tmp_path, first).items()}
        async with running(new):
            await until(lambda: _all_on_their_way(tmp_path, first, new), within_seconds=60)
            gates[0].touch()
            records = await until_finished(broker, app_id, first)
            runs = runs_of(tmp_path, first)
            moved = {partition for partition, pids in runs.items() if len(pids) > 1}
            assert 0 < len(moved) < PARTITIONS
            for partition, pids in runs.items():
                assert pids[0] == owners[partition]
                assert len(pids) == (2 if partition in moved else 1), "what stays is not repeated"
            assert {record.document["attempt"] for record in records.values()} == {1}

            await publish_spread(broker, app_id, second, partitions=PARTITIONS)
            await until_started(tmp_path, second)
            left = {number for number, pids in runs_of(tmp_path, second).items() if pids == [pid_of(new)]}
            assert left
            assert await told_to_stop(new) == 0
            await until(lambda: _all_taken_over(tmp_path, second, left), within_seconds=60)
            gates[1].touch()
            records = await until_finished(broker, app_id, second)
            for partition, pids in runs_of(tmp_path, second).items():
                assert len(pids) == (2 if partition in left else 1)
            assert {record.document["attempt"] for record in records.values()} == {1}
    effects = [note.job_id for note in notes(tmp_path, "effect")]
    assert len(effects) == len(set(effects)) == len(first) + len(second)


def _all_on_their_way(folder: Path, events: list[CloudEvent], new: TaskWorker) -> bool:
    """The new worker has begun, and where it has, it has begun everything."""
    try:
        return any(pid_of(new) in pids for pids in runs_of(folder, events).values())
    except ValueError:  # jobs of one partition differ: it is at it
        return False


def _all_taken_over(folder: Path, events: list[CloudEvent], left: set[int]) -> bool:
    counted = starts(folder)
    return all(counted[event.id] == 2 for number in left for event in events[number::PARTITIONS])
