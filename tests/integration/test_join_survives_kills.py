"""A worker killed in the middle of a join, again and again: no member is lost and none counts twice."""

import asyncio
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

from events.workflow import chain, group, signature
from schemas.state import JOIN_PREFIX
from tests.integration.flows import numbers, queue_of, steps_of
from tests.integration.observing import jobs_state, notes, observed_worker
from tests.waiting import until

MEMBERS = 1500
KILLS_AT = (100, 500, 1000)


async def test_a_join_survives_kills(broker: str, app_id: str, tmp_path: Path) -> None:
    settings = {"instance_id": f"{app_id}-a", "session_timeout_seconds": 6, "jobs_partitions": 2}
    worker = observed_worker(broker, app_id, tmp_path, "flowing", **settings)
    try:
        await worker.start()
        async with queue_of(broker, app_id) as queue:
            members = [chain(step, signature("add", left=1)) for step in numbers("number", *range(MEMBERS))]
            job = await queue.enqueue(chain(group(*members), signature("total"), signature("add", left=0)))
            for count in KILLS_AT:
                joined = partial(_joined, broker, app_id, count)
                await until(joined, within_seconds=60, saying=f"{count} joined")
                await worker.kill()
                if count == KILLS_AT[1]:
                    shutil.rmtree(worker.folder / "state")
                await worker.start()
            assert await job.result(timeout=90) == sum(range(MEMBERS)) + MEMBERS
        steps = await steps_of(broker, app_id, job.job_id)
        assert Counter(len(records) for records in steps.values()) == {1: 2 * MEMBERS + 2}
        assert {note.facts["count"] for note in notes(tmp_path, "started", task="total")} == {MEMBERS}
    finally:
        await worker.stop()


async def _joined(broker: str, app_id: str, count: int) -> bool:
    """Whether the join has heard of so many members, or of all."""
    await asyncio.sleep(0.05)  # each look reads whole topics
    parked = (await jobs_state(broker, app_id)).parked
    counts = [
        record.document["count"]
        for key, record in parked.items()
        if key.encode().startswith(JOIN_PREFIX) and record.document["state"] == "join"
    ]
    return max(counts, default=0) >= count
