"""`Retry(count=False)` leaves the tries as they are; a deadline ends it, and without one it is refused."""

from pathlib import Path

from tests.integration.observing import event, events_state, job_of, notes, observing, publish, topic_of
from tests.waiting import until


async def test_uncounted_retries_end_with_the_deadline(broker: str, app_id: str, tmp_path: Path) -> None:
    patient, expiring, endless = (
        job_of("patient", "bounded"),
        job_of("expiring", "expiring"),
        job_of("endless", "endless"),
    )

    async def all_finished() -> bool:
        return (await events_state(broker, app_id)).finished.keys() == {patient, expiring, endless}

    async with observing(broker, app_id, tmp_path, "uncounted"):
        events = [event(f"wait.{name}", name) for name in ("bounded", "expiring", "endless")]
        await publish(broker, topic_of(app_id), *events)
        await until(all_finished, within_seconds=90)
    state = await events_state(broker, app_id)
    # Four that do not count, one that fails, one that completes: two tries of two.
    assert [note.attempt for note in notes(tmp_path, task="patient")] == [1, 1, 1, 1, 1, 2]
    assert (state.outcome(patient), state.attempts(patient)) == ("completed", 2)

    runs = notes(tmp_path, task="expiring")
    assert {note.attempt for note in runs} == {1}
    assert all(note.at <= note.facts["deadline"] for note in runs)
    assert state.outcome(expiring) == "expired"
    (letter,) = state.letters[expiring]
    assert letter["headrace-reason"] == "expired"
    assert letter["headrace-exception-message"] == "never there"

    assert len(notes(tmp_path, task="endless")) == 1
    (letter,) = state.letters[endless]
    assert letter["headrace-reason"] == "failed"
    assert "deadline" in letter["headrace-exception-message"]
    assert state.outcome(endless) == "failed"
