"""A cancelled job is cancelled wherever it is: waiting, parked, running, not read yet; and it stays so."""

from pathlib import Path

import pytest

from events.errors import JobCancelled
from schemas.command import Answer, Command
from schemas.job import JobState
from tests.integration.asking import ask, asking, until_state
from tests.integration.observing import notes
from tests.integration.probing import log_lines
from tests.waiting import until


async def test_a_job_is_cancelled_wherever_it_is(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with asking(broker, app_id, tmp_path, max_jobs=3, show_running_after_seconds=0.2) as (
        worker,
        queue,
    ):
        running = await ask(queue, "wait", gate=str(gate))
        looking = await ask(queue, "wait_in_thread", gate=str(gate))
        blind = await ask(queue, "wait_in_thread", gate=str(gate), looks=False)
        waiting = await ask(queue, "echo")
        parked = await ask(queue, "echo", {"defer_by": 600})
        await until(lambda: len(notes(tmp_path, "started")) == 3)
        await until_state(parked, JobState.SCHEDULED)

        assert (await waiting.cancel(reason="not wanted")).answer is Answer.CANCELLED
        assert (await parked.cancel()).answer is Answer.CANCELLED
        told = {job: await job.cancel(reason="enough") for job in (running, looking, blind)}
        for job in (running, blind):
            assert (told[job].answer, told[job].job_state) == (Answer.CANCELLING, JobState.RUNNING)
        assert (told[looking].answer, told[looking].job_state) in (
            (Answer.CANCELLING, JobState.RUNNING),
            (Answer.CANCELLED, JobState.CANCELLED),  # it looked, and ended, before it was told
        )
        for job in (running, looking, waiting, parked):
            with pytest.raises(JobCancelled):
                await job.result(timeout=30)
        gate.touch()
        assert await blind.result(timeout=30) == "through", "it never looked"
        again = await running.cancel()
        assert (again.answer, again.job_state) == (Answer.ALREADY_FINISHED, JobState.CANCELLED)
        assert (await blind.cancel()).job_state is JobState.COMPLETED
        assert (await waiting.status()).cancel_reason == "not wanted"
        assert {note.job_id for note in notes(tmp_path)} == {running.job_id, looking.job_id, blind.job_id}
        lines = [line["job_id"] for line in log_lines(worker) if line["event"] == "task_cancelled"]
        assert sorted(lines) == sorted(job.job_id for job in (running, looking, waiting, parked))


async def test_a_job_no_worker_has_read_is_known_when_it_comes(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    async with asking(broker, app_id, tmp_path) as (worker, queue):
        await worker.stop()
        unread = await ask(queue, "echo", value=1)
        with pytest.raises(TimeoutError):
            await unread.cancel(timeout=1)  # nobody there, and the command waits
        after = await ask(queue, "echo", value=2)
        await worker.start()
        assert await after.result(timeout=60) == 2
        status = await until_state(unread, JobState.CANCELLED, JobState.COMPLETED)
        answer = await unread.cancel()
        assert (answer.answer, answer.job_state) == (Answer.ALREADY_FINISHED, status.state)


async def test_a_running_job_that_was_cancelled_does_not_run_again_after_a_kill(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    settings = {"instance_id": app_id, "session_timeout_seconds": 6}
    async with asking(broker, app_id, tmp_path, **settings) as (worker, queue):
        deaf = await ask(queue, "wait_in_thread", gate=str(tmp_path / "gate"), looks=False)
        await until(lambda: notes(tmp_path, "started"))
        assert (await deaf.cancel(reason="enough")).answer is Answer.CANCELLING
        await worker.kill()
        await worker.start()
        with pytest.raises(JobCancelled, match="enough"):
            await deaf.result(timeout=60)
        assert len(notes(tmp_path, "started")) == 1


async def test_a_command_given_again_is_answered_as_before(broker: str, app_id: str, tmp_path: Path) -> None:
    async with asking(broker, app_id, tmp_path) as (_, queue):
        job = await ask(queue, "echo", {"defer_by": 600})
        await until_state(job, JobState.SCHEDULED)
        place = job._place()
        assert place is not None
        body = {"job_id": job.job_id, "reason": "twice"}
        answers = [
            await queue.ask(place, Command.CANCEL, body, timeout=30, command_id="mine") for _ in range(3)
        ]
        assert {answer.answer for answer in answers} == {Answer.CANCELLED}
        assert (await queue.ask(place, Command.CANCEL, body, timeout=30)).answer is Answer.ALREADY_FINISHED
        nobody = {"job_id": "nobody"}
        assert (await queue.ask(place, Command.CANCEL, nobody, timeout=30)).answer is Answer.UNKNOWN_JOB
