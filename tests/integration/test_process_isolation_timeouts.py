"""A task in a child process that runs too long is interrupted where it is, then killed."""

from pathlib import Path

import pytest

from events.errors import JobFailed
from tests.integration.asking import ask
from tests.integration.isolating import alive, isolating
from tests.integration.observing import jobs_state, notes
from tests.waiting import until


async def test_a_timeout_is_soft_then_hard(broker: str, app_id: str, tmp_path: Path) -> None:
    async with isolating(broker, app_id, tmp_path, process_grace_seconds=0.3, process_pool_size=1) as (
        _,
        queue,
    ):
        polite = await ask(queue, "hang", deaf=False)
        deaf = await ask(queue, "hang", deaf=True)
        for job in (polite, deaf):
            with pytest.raises(JobFailed):
                await job.result(timeout=60)
        after = await ask(queue, "echo")
        await after.result(timeout=60)
        asked = notes(tmp_path, "asked")
        assert {note.job_id: note.facts["error"] for note in asked} == {
            polite.job_id: "TaskTimeout",
            deaf.job_id: "TaskTimeout",
        }
        (killed,) = [note.pid for note in asked if note.job_id == deaf.job_id]
        await until(lambda: not alive(killed), saying="the deaf one's process is gone")
        (kept,) = [note.pid for note in asked if note.job_id == polite.job_id]
    state = await jobs_state(broker, app_id)
    (soft,), (hard,) = state.letters[polite.job_id], state.letters[deaf.job_id]
    assert (
        soft["headrace-exception-type"] == hard["headrace-exception-type"] == "consumers.errors.TaskTimeout"
    )
    assert "time.sleep(60)" in soft["headrace-exception-stack"], "where it was"
    assert "killed" in hard["headrace-exception-message"]
    assert killed == kept, "a child that obeys is used again"
