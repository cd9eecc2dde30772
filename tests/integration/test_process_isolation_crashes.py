"""A child that crashes costs its own attempt: the worker and the other children go on."""

from pathlib import Path

import pytest

from events.errors import JobFailed
from schemas.job import JobState
from tests.integration.asking import ask, until_state
from tests.integration.isolating import isolating
from tests.integration.observing import jobs_state, notes
from tests.integration.probing import log_lines
from tests.waiting import until

FAST = {"process_grace_seconds": 0.5}


async def test_jobs_that_crash_are_tried_again_and_given_up(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with isolating(broker, app_id, tmp_path) as (worker, queue):
        beside = await ask(queue, "wait", gate=str(gate))
        await until(lambda: notes(tmp_path, "started", task="wait"), within_seconds=60)
        crashing = [await ask(queue, "crash", how=how) for how in ("segfault", "exit", "kill")]
        growing = await ask(queue, "grow")
        for job in [*crashing, growing]:
            with pytest.raises(JobFailed):
                await job.result(timeout=60)
        gate.touch()
        assert await beside.result(timeout=30) == "through", "its neighbours' crashes are not its own"
        after = await ask(queue, "echo", value=[1, "two"])
        assert await after.result(timeout=30) == {"value": [1, "two"], "began_here": True}
        status = await until_state(crashing[0], JobState.FAILED)
        assert worker.process is not None
        assert worker.process.returncode is None
    assert status.attempt == 2
    state = await jobs_state(broker, app_id)
    for job in crashing:
        (letter,) = state.letters[job.job_id]
        assert letter["headrace-reason"] == "worker_lost"
        assert letter["headrace-exception-type"] == "consumers.errors.WorkerLost"
        (record,) = state.finished[job.job_id]
        assert [attempt["outcome"] for attempt in record.document["attempts"]] == ["worker_lost"]
    assert "SIGSEGV" in state.letters[crashing[0].job_id][0]["headrace-exception-message"]
    (letter,) = state.letters[growing.job_id]
    assert (letter["headrace-reason"], letter["headrace-exception-type"]) == ("exhausted", "MemoryError")
    assert len(notes(tmp_path, "started", task="wait")) == 1
    assert "child_process_lost" in {line["event"] for line in log_lines(worker)}


async def test_a_step_that_was_kept_is_not_repeated_after_a_crash(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    async with isolating(broker, app_id, tmp_path) as (_, queue):
        job = await ask(queue, "once")
        assert await job.result(timeout=60) == [1, 2]
        await until(lambda: notes(tmp_path, "started", task="echo"))
    assert len(notes(tmp_path, "effect")) == 1
