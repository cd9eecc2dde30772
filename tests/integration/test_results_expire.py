"""What is finished is forgotten after its time: the same request runs again, and the disk is swept."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import rocksdict

from consumers.engine.statedb import StateDb
from consumers.engine.store import SharedMemory
from events.topics import ledger_topic
from tests.integration.observing import job_of, notes, topic_of
from tests.integration.steering import asks, ledger_of, publish_spread, running, steered, until_finished
from tests.waiting import until


async def test_an_expired_job_runs_again(broker: str, app_id: str, tmp_path: Path) -> None:
    brief, lasting = asks(3, "steer.brief", name="brief"), asks(3, name="lasting")
    async with running(steered(broker, app_id, tmp_path)):
        await publish_spread(broker, app_id, [*brief, *lasting])
        records = await until_finished(broker, app_id, [*brief, *lasting])
        for id, record in records.items():
            kept_ms = record.expires_ms - record.document["finished_ms"]
            assert kept_ms == (2_000 if id.startswith("brief") else 24 * 3600 * 1000)

        async def ran_again() -> bool:
            await asyncio.sleep(0.3)
            await publish_spread(broker, app_id, [*brief, *lasting])
            return len(notes(tmp_path, "ended", task="brief")) >= 2 * len(brief)

        await until(ran_again, within_seconds=60)
    runs = Counter(note.event_id for note in notes(tmp_path, "started"))
    assert {runs[event.id] for event in lasting} == {1}
    written = await ledger_of(broker, app_id)
    assert sum(len(copies) for copies in written.values()) == sum(runs.values())
    for copies in written.values():
        for earlier, later in pairwise(copies):
            assert later.document["started_ms"] >= earlier.expires_ms, "not before it had expired"


async def test_the_disk_is_swept(broker: str, app_id: str, tmp_path: Path) -> None:
    brief, lasting = asks(20, "steer.brief", name="brief"), asks(20, name="lasting")
    worker = steered(broker, app_id, tmp_path, sweep_interval_seconds=1)
    async with running(worker):
        await publish_spread(broker, app_id, [*brief, *lasting])
        await until_finished(broker, app_id, [*brief, *lasting])
        copy = tmp_path / "copy"

        def swept() -> bool:
            left = {job_of("loose", event.id) for event in lasting}
            return _ids_on_disk(worker.folder, app_id, copy) == left

        await until(swept, within_seconds=60)


def _ids_on_disk(folder: Path, app_id: str, copy: Path) -> set[str]:
    """The ids in the ledger of a worker that runs, read beside it."""
    (path,) = (folder / "state").rglob(f"{ledger_topic(app_id, topic_of(app_id))}-0.db")
    access = rocksdict.AccessType.secondary(str(copy))
    db = rocksdict.Rdict(str(path), options=SharedMemory().options(), access_type=access)
    try:
        db.try_catch_up_with_primary()
        return {id.decode() for id, _ in StateDb(db, indexed=False).records()}
    finally:
        db.close()
