"""SIGTERM: what runs may finish within the drain time, the rest is left unacknowledged and runs elsewhere."""

from pathlib import Path

from tests.integration.observing import committed, notes
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    told_to_stop,
    until_finished,
    until_started,
)
from tests.waiting import until


async def test_running_jobs_finish_and_the_rest_runs_elsewhere(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    quick, endless = asks(2, name="quick", seconds=1), asks(2, name="endless", gate=str(gate))
    waiting = asks(20, name="waiting")
    first = steered(broker, app_id, tmp_path, "a", max_jobs=4, drain_seconds=3)
    async with running(first):
        await publish_spread(broker, app_id, [*quick, *endless, *waiting])
        await until_started(tmp_path, [*quick, *endless])
        assert await told_to_stop(first) == 0
    assert set(starts(tmp_path)) == {each.id for each in (*quick, *endless)}
    assert list((await committed(broker, app_id)).values()) == [2], "no further than the first that runs on"

    gate.touch()
    async with running(steered(broker, app_id, tmp_path, "b")):
        records = await until_finished(broker, app_id, [*quick, *endless, *waiting])
    assert {record.document["attempt"] for record in records.values()} == {1}, "a shutdown is no attempt"
    again = {id for id, count in starts(tmp_path).items() if count > 1}
    assert again == {each.id for each in endless}


async def test_a_thread_that_never_ends_does_not_hold_up_the_exit(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    (event,) = asks(1, "steer.blocking")
    worker = steered(broker, app_id, tmp_path, drain_seconds=0.5)
    async with running(worker):
        await publish_spread(broker, app_id, [event])
        await until_started(tmp_path, [event])
        assert await told_to_stop(worker, within_seconds=30) == 0


async def test_a_second_signal_changes_nothing(broker: str, app_id: str, tmp_path: Path) -> None:
    events = asks(5, seconds=1)
    worker = steered(broker, app_id, tmp_path)
    async with running(worker):
        await publish_spread(broker, app_id, events)
        await until_started(tmp_path, events)
        assert worker.process is not None
        worker.process.terminate()
        await until(lambda: "worker_stopping" in (worker.folder / "worker.log").read_text())
        assert await told_to_stop(worker) == 0
    assert len(notes(tmp_path, "ended")) == len(events)
    await until_finished(broker, app_id, events)
