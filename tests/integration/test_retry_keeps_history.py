"""A failed job that is retried gets its tries anew and keeps the attempts it had."""

from pathlib import Path

import pytest

from events.errors import JobFailed
from schemas.command import Answer
from schemas.job import JobState
from tests.integration.asking import ask, asking


async def test_a_retried_job_keeps_its_history(broker: str, app_id: str, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    async with asking(broker, app_id, tmp_path) as (_, queue):
        job = await ask(queue, "end", how="raise", mended=str(mended))
        with pytest.raises(JobFailed, match="again"):
            await job.result(timeout=30)
        mended.touch()
        assert (await job.retry()).answer is Answer.REDRIVEN
        assert await job.result(timeout=30) == "mended"
        status = await job.status()
        assert (status.attempt, status.error) == (1, None)
        assert [(each["n"], each["outcome"]) for each in status.attempts] == [(1, "retrying"), (2, "failed")]
        for each in status.attempts:
            assert each["error"] == {"type": "consumers.verdicts.Retry", "message": "again"}
            assert each["started_ms"] <= each["ended_ms"]
        answer = await job.retry()
        assert (answer.answer, answer.job_state) == (Answer.NOT_FAILED, JobState.COMPLETED)


async def test_a_job_knows_who_asked_for_it(broker: str, app_id: str, tmp_path: Path) -> None:
    async with asking(broker, app_id, tmp_path) as (_, queue):
        parent = await ask(queue, "parent")
        child = queue.job(await parent.result(timeout=30))
        assert await child.result(timeout=30) == "child"
        record = child._asked()[1].newest()
        assert record is not None
        assert record.document["parent"] == parent.job_id
