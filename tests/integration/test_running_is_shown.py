"""A job that has been running for a while is seen running, with its newest progress; its end keeps it."""

from pathlib import Path

from schemas.job import JobState
from tests.integration.asking import ask, asking, until_state


async def test_a_running_job_is_seen_with_its_progress(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with asking(broker, app_id, tmp_path, show_running_after_seconds=0.2, worker_name="w1") as (
        _,
        queue,
    ):
        job = await ask(queue, "report", gate=str(gate))
        status = await until_state(job, JobState.RUNNING)
        assert (status.worker, status.attempt) == ("w1", 1)
        assert status.started_ms is not None
        assert status.progress is not None
        assert (status.progress["done"], status.progress["note"]) == (100, "row 100")
        gate.touch()
        assert await job.result(timeout=30) == "reported"
        ended = await job.status()
        assert ended.progress is not None
        assert ended.progress["note"] == "all"
        assert ended.due_ms is None
