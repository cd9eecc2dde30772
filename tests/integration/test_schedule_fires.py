"""A schedule runs its task at its times, and goes on where it was after a restart."""

from pathlib import Path

from tests.integration.scheduling import cursor, lines, scheduling, ticks
from tests.waiting import until

EVERY_SECOND = {"second": {"every": 1, "missed": "all"}}


async def test_it_fires_and_survives_a_restart(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, EVERY_SECOND) as worker:
        await until(lambda: len(ticks(tmp_path, "second")) >= 3)
        await worker.stop()
        before = len(ticks(tmp_path, "second"))
        await worker.start()
        await until(lambda: len(ticks(tmp_path, "second")) >= before + 3)
    seen = ticks(tmp_path, "second")
    assert set(seen.values()) == {1}, "each time once"
    assert sorted(seen) == list(range(min(seen), max(seen) + 1, 1000)), "and none is missing"
    stands = await cursor(broker, app_id, "second")
    assert stands is not None
    assert stands["last_ms"] >= max(seen)
    assert stands["last_outcome"]["outcome"] == "fired"
    fired = lines(tmp_path, "schedule_fired")
    assert {line["job_id"] for line in fired} >= {
        line["job_id"] for line in lines(tmp_path, "task_completed")
    }
