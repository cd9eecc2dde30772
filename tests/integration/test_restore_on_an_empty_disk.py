"""A worker that lost its disk: the store it restores equals an independent fold of the topics, and fires."""

import shutil
import struct
from pathlib import Path
from typing import Any

import rocksdict

from consumers.engine.statedb import StateDb
from consumers.engine.store import SharedMemory
from events.topics import ledger_topic, retry_topic
from tests.integration.consuming import records_of
from tests.integration.observing import topic_of
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    until_finished,
)
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

PARTITIONS = 2
Fold = dict[bytes, bytes]


async def test_the_store_equals_the_topics_and_parked_jobs_fire(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    finished = asks(60, name="finished")
    retried = asks(40, name="retried", failures=1, defer=0.1)
    soon = asks(30, name="soon", failures=1, defer=25, steps=2)
    late = asks(30, name="late", failures=1, defer=3600)
    worker = steered(broker, app_id, tmp_path, default_partitions=PARTITIONS)
    everything = [*finished, *retried, *soon, *late]
    async with running(worker):
        await publish_spread(broker, app_id, everything, partitions=PARTITIONS, keys=7)
        await until_finished(broker, app_id, [*finished, *retried])

        async def parked() -> bool:
            folds = await _folds(broker, retry_topic(app_id, topic_of(app_id)))
            return sum(len(fold) for fold in folds) == len(soon) + len(late)

        await until(parked, within_seconds=60)
        await worker.kill()
        shutil.rmtree(worker.folder / "state")
        await worker.start()
        await worker.stop()
        await _compare(broker, app_id, worker)

        await worker.start()
        records = await until_finished(broker, app_id, soon)
        await worker.stop()
        assert {record.document["attempt"] for record in records.values()} == {2}
        await _compare(broker, app_id, worker)
    counted = starts(tmp_path)
    assert {counted[event.id] for event in finished} == {1}
    assert {counted[event.id] for event in [*retried, *soon]} == {2}
    assert {counted[event.id] for event in late} == {1}


async def _compare(broker: str, app_id: str, worker: TaskWorker) -> None:
    for topic, indexed in ((retry_topic, True), (ledger_topic, False)):
        name = topic(app_id, topic_of(app_id))
        for number, fold in enumerate(await _folds(broker, name)):
            records, index = _on_disk(worker.folder, name, number, indexed=indexed)
            assert records == fold
            if indexed:
                wanted = {(_due_ms(value), id) for id, value in fold.items()}
                assert wanted <= index, "every parked job will fire"
                stale = index - wanted
                assert all(_due_ms(fold.get(id, bytes(8))) != due_ms for due_ms, id in stale)


async def _folds(broker: str, topic: str) -> list[Fold]:
    """What a state topic says, by partition: the last record of each key, but what no owner wrote."""
    folds: list[Fold] = [{} for _ in range(PARTITIONS)]
    owners: dict[int, Any] = {}
    for record in await records_of(broker, topic):
        writer = dict(record.headers).get("headrace-writer") if record.value is None else record.value[16:24]
        if record.key.startswith(b"fence/"):
            owners[record.partition] = writer
        elif writer == owners.get(record.partition, writer):
            if record.value is None:
                folds[record.partition].pop(record.key, None)
            else:
                folds[record.partition][record.key] = record.value
    return folds


def _due_ms(value: bytes) -> int:
    return int(struct.unpack_from(">Q", value)[0])


def _on_disk(folder: Path, topic: str, number: int, *, indexed: bool) -> tuple[Fold, set[tuple[int, bytes]]]:
    (path,) = (folder / "state").rglob(f"{topic}-{number}.db")
    raw = rocksdict.Rdict(str(path), options=SharedMemory().options())
    db = StateDb(raw, indexed=indexed)
    try:
        index = {(int.from_bytes(key[2:10], "big"), key[10:]) for key in db.index()}
        return dict(db.records()), index
    finally:
        raw.close()
