"""A handle gives the result of its job, or says why there is none, read from the state topics alone."""

import asyncio
from pathlib import Path

import pytest

from events.errors import JobDiscarded, JobExpired, JobFailed, NoSuchJob
from events.queue import JobQueue
from schemas.job import JobState
from tests.integration.asking import ask, asking, client


async def test_a_handle_tells_how_its_job_ends(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with asking(broker, app_id, tmp_path, jobs_partitions=2) as (_, queue):
        assert await (await ask(queue, "echo", value={"a": [1]})).result(timeout=30) == {"a": [1]}
        assert await (await ask(queue, "echo")).result(timeout=30) is None

        many = await queue.enqueue_many("echo", [{"value": number} for number in range(300)])
        assert await asyncio.gather(*(job.result(timeout=30) for job in many)) == list(range(300))
        assert await many[7].result(timeout=30) == 7, "asked again"

        with pytest.raises(JobFailed, match="it never works") as failed:
            await (await ask(queue, "end", how="fail")).result(timeout=30)
        assert failed.value.status is not None
        assert failed.value.status.attempt == 1
        with pytest.raises(JobFailed, match="again") as failed:
            await (await ask(queue, "end", how="raise")).result(timeout=30)
        assert failed.value.status is not None
        assert [each["outcome"] for each in failed.value.status.attempts] == ["retrying"]
        with pytest.raises(JobDiscarded, match="discarded"):
            await (await ask(queue, "end", how="discard")).result(timeout=30)
        with pytest.raises(JobExpired):
            await (await ask(queue, "wait", {"deadline": 0}, gate="none")).result(timeout=30)

        waiting = await ask(queue, "wait", {"job_id": "named"}, gate=str(gate))
        with pytest.raises(TimeoutError):
            await waiting.result(timeout=0.2)
        assert (await waiting.status()).state in (JobState.PENDING, JobState.RUNNING)
        gate.touch()
        assert await waiting.result(timeout=30) == "through"

        later = await ask(queue, "echo", {"defer_by": 60})
        async with JobQueue(client(broker, app_id)) as other:
            # Asked for once more, by somebody who has seen nothing of it.
            assert (
                await (await ask(other, "wait", {"job_id": "named"}, gate="x")).result(timeout=30)
                == "through"
            )
            assert (await other.job("named").status()).result == "through"
            assert (
                await other.job(later.job_id, position=later.position).status()
            ).state is JobState.SCHEDULED
            with pytest.raises(NoSuchJob):
                await other.job("nobody").status()


async def test_a_job_no_worker_took_is_pending(broker: str, app_id: str, tmp_path: Path) -> None:
    async with asking(broker, app_id, tmp_path) as (worker, queue):
        await worker.stop()
        job = await ask(queue, "echo", value=1)
        assert (await job.status()).state is JobState.PENDING
        await worker.start()
        assert await job.result(timeout=60) == 1
