"""The read model tells a job from its request to its result, its letter, and its next life."""

from pathlib import Path

from events.log_reader import LogReader
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.status.query import JobQuery
from events.status.reader import StatusReader
from events.status.settings import StatusSettings
from schemas.job import JobState
from tests.integration.observing import event, job_of, observed_worker, publish, topic_of
from tests.waiting import until


def settings_of(broker: str, app_id: str, folder: Path, **more: object) -> StatusSettings:
    return StatusSettings(bootstrap_servers=broker, app_id=app_id, status_dir=folder, **more)


async def test_a_job_from_its_request_to_its_second_life(broker: str, app_id: str, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    worker = observed_worker(broker, app_id, tmp_path, "mendable", MENDED=mended)
    client = ClientSettings(bootstrap_servers=broker, app_id=app_id)
    async with StatusReader(settings_of(broker, app_id, tmp_path / "status")) as reader:
        assert await reader.job("plain") is None, "before there is any topic"
        await worker.start()  # makes the topics
        await worker.stop()
        async with JobQueue(client) as queue:
            await queue.request("plain", {"what": "kept"}, EnqueueOptions(job_id="plain", priority="high"))
        waiting = await reader.job("plain")
        assert waiting is not None
        assert (waiting.state, waiting.priority, waiting.attempt) == (JobState.PENDING, "high", 0)
        await publish(broker, topic_of(app_id), event("mend.event", "e1"))
        try:
            await worker.start()
            failed = await reader.job("plain", wait_seconds=60)
            assert failed is not None
            assert failed.state is JobState.FAILED
            assert failed.error is not None
            assert failed.error.message == "not mended"
            assert [attempt.outcome for attempt in failed.attempts] == ["failed"]
            assert failed.attempts[0].worker == failed.worker

            job = job_of("broken", "e1")
            await until(lambda: reader.known(job), within_seconds=60)
            twice = await reader.job(job, wait_seconds=60)
            assert twice is not None
            assert twice.event is not None
            assert (twice.state, twice.event.id) == (JobState.FAILED, "e1")
            assert [(attempt.n, attempt.outcome) for attempt in twice.attempts] == [
                (1, "retrying"),
                (2, "failed"),
            ]
            page = await reader.jobs(JobQuery(event_id="e1"))
            assert [found.job_id for found in page.jobs] == [job]
            await until(lambda: reader.letter_counts() == {topic_of(app_id): 1, "jobs": 1})
            letter = reader.letter(job)
            assert letter is not None
            record = await reader.letter_record(letter)
            assert record is not None
            assert dict(record.headers)["headrace-job-id"] == job.encode()
            located = await reader.locate("plain")
            assert located is not None
            assert (located.source, located.task) == ("jobs", "plain")
        finally:
            await worker.stop()
        assert await reader.job("nobody") is None
        await until(lambda: reader.ready)
    async with StatusReader(settings_of(broker, app_id, tmp_path / "status")) as again:
        kept = again.known("plain")
        assert kept == failed, "it goes on where it was"
    async with StatusReader(settings_of(broker, app_id, tmp_path / "anew")) as anew:
        rebuilt = await anew.job("plain")
        assert rebuilt is not None
        assert (rebuilt.state, rebuilt.attempts) == (failed.state, failed.attempts)
    async with LogReader(client) as log:
        assert f"{app_id}.jobs" in await log.topics()
