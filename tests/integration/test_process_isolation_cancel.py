"""A running job in a child process is cancelled, whether it listens or not."""

from pathlib import Path

import pytest

from events.errors import JobCancelled
from schemas.command import Answer
from schemas.job import JobState
from tests.integration.asking import ask, until_state
from tests.integration.isolating import isolating
from tests.integration.observing import notes
from tests.waiting import until


async def test_running_jobs_are_cancelled(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    settings = {"process_grace_seconds": 0.3, "show_running_after_seconds": 0.2}
    async with isolating(broker, app_id, tmp_path, **settings) as (_, queue):
        jobs = [await ask(queue, "wait", gate=str(gate), deaf=deaf) for deaf in (False, True)]
        await until(lambda: len(notes(tmp_path, "started")) == 2, within_seconds=60)
        waiting = await ask(queue, "wait", gate=str(gate))
        status = await until_state(jobs[0], JobState.RUNNING)
        await until(lambda: _progressed(jobs[0]), saying="its progress is shown")
        for job in [waiting, *jobs]:
            answer = await job.cancel(reason="enough")
            assert answer.answer in (Answer.CANCELLING, Answer.CANCELLED)
        for job in [*jobs, waiting]:
            with pytest.raises(JobCancelled, match="enough"):
                await job.result(timeout=30)
        assert len(notes(tmp_path, "started")) == 2, "the one that waited for a child never began"
        after = await ask(queue, "echo", value=1)
        assert (await after.result(timeout=60))["value"] == 1
    assert status.attempt == 1


async def _progressed(job: object) -> bool:
    status = await job.status()  # type: ignore[attr-defined]
    return bool(status.progress) and status.progress["note"] == "waiting"
