"""A step that fails for good ends its workflow: the last job fails naming it, and callbacks hear of it."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.cli.jobs import command
from events.errors import JobCancelled, JobFailed, NoSuchJob
from events.handle import JobHandle
from events.workflow import chain, group, signature
from tests.integration.flows import numbers, queue_of, steps_of
from tests.integration.observing import notes, observing
from tests.waiting import until


async def test_a_failed_step_is_named(
    broker: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=3),
        queue_of(broker, app_id) as queue,
    ):
        total, hear = signature("total"), signature("hear")
        failing = chain(group(*numbers("picky", 2, 3, 4, 5)), total, signature("number"))
        job = await queue.enqueue(failing.on_failure(hear).on_success(signature("number")).on_finished(hear))
        with pytest.raises(
            JobFailed, match=r"2 of 4 failed, the first: step 1\.2 \(picky\) failed.*3 is odd"
        ):
            await job.result(timeout=60)
        single = await queue.enqueue(chain(signature("picky", value=7), signature("number")))
        with pytest.raises(JobFailed, match=r"step 1 \(picky\) failed: consumers\.verdicts\.Fail: 7 is odd"):
            await single.result(timeout=60)
        well = await queue.enqueue(chain(signature("picky", value=2)).on_finished(hear).on_success(hear))
        assert await well.result(timeout=60) == 2
        await until(lambda: len(notes(tmp_path, "heard")) == 4, within_seconds=30, saying="all were told")
        heard = [note.facts["told"] for note in notes(tmp_path, "heard")]
        assert 2 in heard
        told = [each for each in heard if isinstance(each, dict) and each["job_id"] == job.job_id]
        assert len(told) == 2, "on_failure and on_finished, each once"
        assert {(each["state"], each["step"], each["task"], each["failed"]) for each in told} == {
            ("failed", "1.2", "picky", 2)
        }
        assert not notes(tmp_path, task="total"), "what comes after a failure does not run"
        monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", broker)
        monkeypatch.setenv("HEADRACE_APP_ID", app_id)
        shown = await asyncio.to_thread(CliRunner().invoke, command, ["tree", job.job_id])
        assert shown.output.startswith(f"number failed  {job.job_id}  StepFailed: 2 of 4 failed")
        assert "    1.2 picky failed" in shown.output
        steps = await steps_of(broker, app_id, job.job_id)
        assert {"1.1", "1.2", "1.3", "1.4"} <= steps.keys(), "all members ran"


async def test_a_cancelled_step_cancels(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=1),
        queue_of(broker, app_id) as queue,
    ):
        first = signature("gated", value=1, gate=str(gate))
        job = await queue.enqueue(chain(first, signature("number")))
        await until(lambda: bool(notes(tmp_path, "started", task="gated")), saying="the step runs")
        (running,) = notes(tmp_path, "started", task="gated")
        step = queue.job(running.job_id)
        await until(lambda: _is_known(step), within_seconds=30, saying="that it runs is remembered")
        await step.cancel(reason="not wanted", timeout=30)
        with pytest.raises(JobCancelled, match=r"step 1 .*was cancelled"):
            await job.result(timeout=60)
        assert not notes(tmp_path, task="number")


async def _is_known(job: JobHandle) -> bool:
    try:
        await job.status()
    except NoSuchJob:
        return False
    return True
