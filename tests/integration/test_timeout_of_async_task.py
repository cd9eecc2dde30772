"""An async task that runs too long is cancelled: a failed attempt like any other."""

from pathlib import Path

from tests.integration.observing import event, events_state, job_of, notes, observing, publish, topic_of
from tests.waiting import until


async def test_an_overdue_async_task_is_cancelled_and_tried_again(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    once, always, stubborn = (
        job_of("late_once", "once"),
        job_of("late_always", "always"),
        job_of("stubborn", "stubborn"),
    )

    async def all_finished() -> bool:
        return (await events_state(broker, app_id)).finished.keys() == {once, always, stubborn}

    async with observing(broker, app_id, tmp_path, "overdue"):
        events = [event(f"overdue.{name}", name) for name in ("once", "always", "stubborn")]
        await publish(broker, topic_of(app_id), *events)
        await until(all_finished, within_seconds=90)
    state = await events_state(broker, app_id)
    what = [(note.what, note.attempt) for note in notes(tmp_path, task="late_once")]
    assert what == [("started", 1), ("stopped", 1), ("started", 2)]
    assert (state.outcome(once), state.attempts(once)) == ("completed", 2)

    what = [(note.what, note.attempt) for note in notes(tmp_path, task="late_always")]
    assert what == [("started", 1), ("stopped", 1), ("started", 2), ("stopped", 2)]
    for job_id, attempts in ((always, "2"), (stubborn, "1")):
        assert state.outcome(job_id) == "failed"
        (letter,) = state.letters[job_id]
        assert letter["headrace-reason"] == "exhausted"
        assert letter["headrace-attempts"] == attempts
        assert letter["headrace-exception-type"].endswith("TaskTimeout")
        assert "timeout=0.3" in letter["headrace-exception-message"]
