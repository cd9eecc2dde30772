"""A discarded job is dropped: remembered as such, no retry, no dead letter."""

from pathlib import Path

from tests.integration.observing import event, events_state, job_of, notes, observing, publish, topic_of
from tests.waiting import until


async def test_discarded_jobs_are_remembered_and_leave_no_letter(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    ways = ("verdict", "exception")
    jobs = {job_of("dropped", way) for way in ways}

    async def all_finished() -> bool:
        return (await events_state(broker, app_id)).finished.keys() == jobs

    async with observing(broker, app_id, tmp_path, "mendable", MENDED=tmp_path / "mended"):
        events = [event("mend.dropped", way, how=way) for way in ways]
        await publish(broker, topic_of(app_id), *events * 2)
        await until(all_finished, within_seconds=90)
    state = await events_state(broker, app_id)
    assert {state.outcome(job_id) for job_id in jobs} == {"discarded"}
    assert not state.letter_records
    assert not state.written
    assert sorted(note.event_id for note in notes(tmp_path, "started")) == sorted(ways)
