"""A read model whose topics were made anew forgets what it knew, and reads what there is."""

from pathlib import Path

import orjson

from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.status.keys import fold_key, job_key
from events.status.partitions import PartitionFold
from events.status.reader import StatusReader
from events.status.settings import StatusSettings
from events.status.store import open_store
from events.topics import JOBS, jobs_source, ledger_topic, retry_topic
from schemas.job import JobState
from tests.integration.conftest import MakeTopic
from tests.waiting import until


async def test_topics_made_anew(broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    for topic in (*jobs_source(app_id).topics, retry_topic(app_id, JOBS), ledger_topic(app_id, JOBS)):
        await make_topic(topic, partitions=2, exact=True)
    before = open_store(tmp_path, app_id=app_id)
    old = {"q": {"task": "t", "ms": 1, "at": [f"{app_id}.jobs", 0, 98], "priority": "normal"}}
    old["i"] = ["t", "pending", 1, None, None, None, None]  # type: ignore[assignment]
    before.write(
        [
            (fold_key(ledger_topic(app_id, JOBS), 0), PartitionFold(99).pack()),
            (job_key("old"), orjson.dumps(old)),
        ]
    )
    before.close()
    settings = StatusSettings(bootstrap_servers=broker, app_id=app_id, status_dir=tmp_path)
    async with StatusReader(settings) as reader:
        assert reader.known("old") is not None
        await until(lambda: reader.ready)
        assert await reader.job("old") is None
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("t", {}, EnqueueOptions(job_id="new"))
        found = await reader.job("new")
        assert found is not None
        assert found.state is JobState.PENDING


async def test_topics_that_come_later_are_taken_up(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    settings = StatusSettings(bootstrap_servers=broker, app_id=app_id, status_dir=tmp_path)
    async with StatusReader(settings) as reader:
        assert await reader.job("new") is None
        for topic in (*jobs_source(app_id).topics, retry_topic(app_id, JOBS), ledger_topic(app_id, JOBS)):
            await make_topic(topic, partitions=1, exact=True)
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("t", {}, EnqueueOptions(job_id="new"))
        found = await reader.job("new")
        assert found is not None
        assert found.source == JOBS
