"""A thread cannot be stopped: an overdue one keeps slot and lane until it ends, then it is tried again."""

from pathlib import Path

from tests.integration.observing import event, events_state, job_of, notes, observing, publish, topic_of
from tests.waiting import until


async def test_an_overdue_thread_keeps_its_place_until_it_ends(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    topic, release = topic_of(app_id), tmp_path / "release"
    jobs = [job_of("in_thread", id) for id in ("first", "same key", "no key")]

    async def all_finished() -> bool:
        return (await events_state(broker, app_id)).finished.keys() > set(jobs)

    def overdue() -> bool:
        return "task_overdue_in_thread" in (tmp_path / "worker.log").read_text()

    async with observing(broker, app_id, tmp_path, "overdue", thread_pool_size=1, RELEASE=release):
        await publish(broker, topic, event("overdue.thread", "first", hold=True), key="k")
        await until(overdue, within_seconds=60, saying="the thread is overdue")
        await publish(broker, topic, event("overdue.thread", "same key"), key="k")
        await publish(broker, topic, event("overdue.thread", "no key"), event("overdue.beside", "beside"))
        await until(lambda: notes(tmp_path, task="beside"), within_seconds=60, saying="others go on")
        assert [note.what for note in notes(tmp_path, task="in_thread")] == ["started"]
        release.touch()
        await until(all_finished, within_seconds=60)
    noted = notes(tmp_path, task="in_thread")
    first = [(note.what, note.attempt) for note in noted if note.event_id == "first"]
    assert first == [("started", 1), ("stopped", 1), ("started", 2)]
    assert [note.what for note in noted[:2]] == ["started", "stopped"], "nothing began before it ended"
    assert noted[1].facts["cancelled"] is True
    state = await events_state(broker, app_id)
    assert [state.outcome(job) for job in jobs] == ["completed"] * 3
    (parked,) = [record for id, _, record in state.written if id == jobs[0]]
    assert parked.document["error"]["type"].endswith("TaskTimeout")
