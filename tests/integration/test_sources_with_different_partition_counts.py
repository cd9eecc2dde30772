"""Two sources with 2 and 5 partitions and the jobs with 3 in one app, on two workers, through a rebalance."""

from pathlib import Path

from events.topics import ledger_topic, retry_topic
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of
from tests.integration.observing import event, notes, observed_worker, topic_of
from tests.integration.steering import ledger_of, publish_spread, running
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

EVENTS = 60


async def test_every_source_keeps_its_own_state(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    narrow, other = topic_of(app_id), f"{app_id}-other"
    await make_topic(narrow, partitions=2, exact=True)
    await make_topic(other, partitions=5, exact=True)

    def worker(name: str) -> TaskWorker:
        (tmp_path / name).mkdir()
        environment = {"OTHER_TOPIC": other, "RAW_LOG": tmp_path / "raw.log"}
        settings = {"jobs_partitions": 3, "session_timeout_seconds": 6}
        return observed_worker(broker, app_id, tmp_path / name, "two_sources", **environment, **settings)

    first, second = worker("a"), worker("b")

    async def play(name: str) -> None:
        before = {source: len(await ledger_of(broker, app_id, source)) for source in (narrow, other, "jobs")}
        ids = [f"{name}{number}" for number in range(EVENTS)]
        events = [event("narrow.happened", id, fail=at % 3 == 0) for at, id in enumerate(ids)]
        await publish_spread(broker, app_id, events, partitions=2)

        async def all_finished() -> bool:
            for source, count in before.items():
                assert len(await ledger_of(broker, app_id, source)) == count + EVENTS, source
            return True

        await until(all_finished, within_seconds=60)

    async with running(first):
        await play("alone-")
        async with running(second):
            await play("together-")
        await play("alone-again-")
    for source, partitions in ((narrow, 2), (other, 5), ("jobs", 3)):
        for records in (await ledger_of(broker, app_id, source)).values():
            assert len(records) == 1
        for topic in (retry_topic, ledger_topic):
            used = {record.partition for record in await records_of(broker, topic(app_id, source))}
            assert used == set(range(partitions))
    assert len({note.pid for note in notes(tmp_path)}) == 2
    ran = [(note.task, note.job_id, note.attempt) for note in notes(tmp_path, "started")]
    assert len(ran) == len(set(ran))
