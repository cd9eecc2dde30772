"""A unique job is dropped while an equal one is unfinished, running or parked, and runs once it ended."""

from pathlib import Path

from tests.integration.asking import ask, asking
from tests.integration.observing import notes
from tests.waiting import until

UNIQUE = {"unique": True}


async def test_equal_jobs_run_one_after_the_other_or_not_at_all(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    async with asking(broker, app_id, tmp_path) as (_, queue):
        first = await ask(queue, "wait", UNIQUE, gate=str(gate))
        await until(lambda: notes(tmp_path, task="wait"))
        dropped = [await ask(queue, "wait", UNIQUE, gate=str(gate)) for _ in range(3)]
        other = await ask(queue, "echo", UNIQUE, value=1)
        assert {job.job_id for job in dropped} == {first.job_id}
        assert await other.result(timeout=30) == 1  # so those before it were judged
        gate.touch()
        assert [await job.result(timeout=30) for job in (first, *dropped)] == ["through"] * 4
        assert len(notes(tmp_path, task="wait")) == 1

        again = await ask(queue, "wait", UNIQUE, gate=str(gate))
        await until(lambda: len(notes(tmp_path, task="wait")) == 2)
        assert await again.result(timeout=30) == "through"

        parked = await ask(queue, "echo", UNIQUE | {"defer_by": 600}, value=2)
        assert parked.job_id == (await ask(queue, "echo", UNIQUE, value=2)).job_id
        await (await ask(queue, "echo", value=3)).result(timeout=30)
        assert len(notes(tmp_path, task="echo")) == 2
