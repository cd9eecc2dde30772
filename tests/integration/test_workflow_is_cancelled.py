"""Cancelling a workflow ends what runs and waits of it anywhere, and nothing of it comes later."""

from pathlib import Path

import pytest

from events.errors import JobCancelled
from events.workflow import chain, group, signature
from schemas.command import Answer
from schemas.job import JobState
from tests.integration.flows import queue_of, steps_of
from tests.integration.observing import jobs_state, notes, observing
from tests.waiting import until


async def test_a_workflow_is_cancelled(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=3),
        queue_of(broker, app_id) as queue,
    ):
        running = [chain(signature("gated", value=n, gate=str(gate)), signature("number")) for n in range(4)]
        waiting = [signature("number", value=9).options(defer_by=600) for _ in range(3)]
        flow = chain(group(*running, *waiting), signature("total")).on_failure(signature("hear"))
        job = await queue.enqueue(flow)
        await until(lambda: len(notes(tmp_path, "started", task="gated")) == 4, saying="its steps run")
        assert (await job.status()).state is JobState.RUNNING
        answer = await job.cancel(reason="enough", timeout=30)
        assert answer.answer is Answer.CANCELLED
        with pytest.raises(JobCancelled, match="enough"):
            await job.result(timeout=30)

        async def all_ended() -> bool:
            ended = {step for step in await steps_of(broker, app_id, job.job_id) if step.startswith("1.")}
            return {f"1.{n + 5}" for n in range(3)} | {f"1.{n + 1}.1" for n in range(4)} <= ended

        await until(all_ended, within_seconds=30, saying="every step has ended")
        steps = await steps_of(broker, app_id, job.job_id)
        assert {record["state"] for step, (record,) in steps.items() if step.startswith("1.")} == {
            "cancelled"
        }
        await until(
            lambda: bool(notes(tmp_path, "heard")), within_seconds=30, saying="the callback hears of it"
        )
        (told,) = notes(tmp_path, "heard")
        assert told.facts["told"]["state"] == "cancelled"
        assert not notes(tmp_path, task="number")
        assert not notes(tmp_path, task="total")
        assert (await job.cancel(timeout=30)).answer is Answer.ALREADY_FINISHED
        parked = (await jobs_state(broker, app_id)).parked
        assert not [id for id in parked if "/" not in id], "nothing waits any more"
