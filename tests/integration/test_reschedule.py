"""A parked job can be moved to another time, in both directions."""

import time
from pathlib import Path

from schemas.command import Answer
from schemas.job import JobState
from tests.integration.asking import ask, asking, until_state


async def test_a_parked_job_runs_at_its_new_time(broker: str, app_id: str, tmp_path: Path) -> None:
    async with asking(broker, app_id, tmp_path) as (_, queue):
        job = await ask(queue, "echo", {"defer_by": 3600}, value="early")
        await until_state(job, JobState.SCHEDULED)
        later_ms = (int(time.time()) + 7200) * 1000
        assert (await job.reschedule(later_ms)).answer is Answer.RESCHEDULED
        assert (await job.status()).due_ms == later_ms
        assert (await job.reschedule(int(time.time() * 1000))).answer is Answer.RESCHEDULED
        assert await job.result(timeout=30) == "early"
        assert (await job.status()).attempt == 1
        answer = await job.reschedule(later_ms)
        assert (answer.answer, answer.job_state) == (Answer.ALREADY_FINISHED, JobState.COMPLETED)
