"""A job that runs long lets go of its partition: offsets are committed past it, a kill does not lose it."""

from pathlib import Path

from aiokafka import TopicPartition

from tests.integration.observing import committed, notes, topic_of
from tests.integration.probing import log_lines
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    until_finished,
)
from tests.waiting import until


async def test_a_detached_job_neither_stalls_nor_gets_lost(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    long, behind = asks(1, name="long", gate=str(gate), steps=1), asks(30, name="behind")
    last = asks(30, name="last")
    settings = {"detach_after_seconds": 0.5, "max_distance": 20, "instance_id": f"{app_id}-1"}
    worker = steered(broker, app_id, tmp_path, **settings)
    place = TopicPartition(topic_of(app_id), 0)

    async def committed_all(count: int) -> bool:
        return (await committed(broker, app_id)).get(place) == count

    async with running(worker):
        await publish_spread(broker, app_id, [*long, *behind])
        # Further than max_distance: they only come in because nothing holds the watermark.
        await until_finished(broker, app_id, behind)
        await until(
            lambda: committed_all(31), within_seconds=30, saying="the offset of the long job is committed"
        )
        await worker.kill()
        await worker.start()
        await until(lambda: starts(tmp_path)["long0"] == 2, within_seconds=60)
        await publish_spread(broker, app_id, last)
        await until_finished(broker, app_id, last)
        assert not notes(tmp_path, "ended", task="loose")[0].event_id.startswith("long")
        gate.touch()
        records = await until_finished(broker, app_id, long)
    assert records["long0"].document["attempt"] == 2, "a crash counts as an attempt"
    counted = starts(tmp_path)
    assert {counted[event.id] for event in [*behind, *last]} == {1}
    assert [note.event_id for note in notes(tmp_path, "effect")] == ["long0"]
    assert "job_detached" in {line["event"] for line in log_lines(worker)}


async def test_a_detached_job_survives_an_orderly_stop(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (long,) = asks(1, name="long", gate=str(gate))
    first = steered(broker, app_id, tmp_path, "a", detach_after_seconds=0.5, drain_seconds=0.5)
    async with running(first):
        await publish_spread(broker, app_id, [long])
        await until(lambda: "job_detached" in (first.folder / "worker.log").read_text(), within_seconds=30)
    gate.touch()
    async with running(steered(broker, app_id, tmp_path, "b")):
        records = await until_finished(broker, app_id, [long])
    assert records["long0"].document["attempt"] == 1, "a stop is no attempt"
    assert starts(tmp_path)["long0"] == 2
