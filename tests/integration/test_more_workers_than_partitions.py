"""More workers than partitions and back: idle members stay ready, and take over when owners leave or die."""

from pathlib import Path

from schemas.cloudevent import CloudEvent
from tests.integration.observing import notes
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    told_to_stop,
    until_finished,
)
from tests.integration.task_worker import TaskWorker


async def test_idle_members_take_over(broker: str, app_id: str, tmp_path: Path) -> None:
    workers = [steered(broker, app_id, tmp_path, name) for name in "abc"]

    async def all_done_by(name: str) -> tuple[list[CloudEvent], set[int]]:
        events = asks(20, name=name)
        await publish_spread(broker, app_id, events)
        await until_finished(broker, app_id, events)
        return events, {note.pid for note in notes(tmp_path, "started") if note.event_id.startswith(name)}

    async with running(*workers):
        everything, owners = await all_done_by("three-")
        assert len(owners) == 1, "one partition has one owner"
        owner = _of(workers, owners)
        await owner.kill()
        events, next_owners = await all_done_by("two-")
        everything += events
        assert next_owners.isdisjoint(owners)
        await owner.start()
        assert await told_to_stop(_of(workers, next_owners)) == 0
        events, last_owners = await all_done_by("again-")
        everything += events
        assert last_owners.isdisjoint(owners | next_owners)
        for worker in workers:
            if worker is not _of(workers, last_owners):
                await worker.stop()
        events, owners = await all_done_by("one-")
        everything += events
        assert owners == last_owners
    assert starts(tmp_path) == dict.fromkeys((event.id for event in everything), 1)


def _of(workers: list[TaskWorker], pids: set[int]) -> TaskWorker:
    (pid,) = pids
    (worker,) = [each for each in workers if each.process is not None and each.process.pid == pid]
    return worker
