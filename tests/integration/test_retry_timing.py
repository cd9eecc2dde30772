"""A retry starts when it was asked for or when its backoff says, not before."""

from pathlib import Path

import pytest

from tests.integration.observing import (
    Note,
    State,
    event,
    events_state,
    job_of,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.waiting import until

DEFER_MS = 700
DEFERRED = ("seconds", "timedelta", "datetime", "past")
BACKOFFS_MS = {"exponential": [200, 400, 400, 400], "linear": [200, 400, 500]}


@pytest.fixture
async def seen(broker: str, app_id: str, tmp_path: Path) -> tuple[State, list[Note]]:
    """What came of one event for each way to ask for a retry, and of one that fails to the end."""
    async with observing(broker, app_id, tmp_path, "deferring"):
        events = [event(f"defer.{how}", how) for how in DEFERRED]
        await publish(broker, topic_of(app_id), *events, event("fail.always", "always"))
        starts = 2 * len(DEFERRED) + sum(len(delays) + 1 for delays in BACKOFFS_MS.values())
        await until(lambda: len(notes(tmp_path, "started")) == starts, within_seconds=90)
    return await events_state(broker, app_id), notes(tmp_path)


async def test_retries_start_when_they_are_due_not_before(seen: tuple[State, list[Note]]) -> None:
    state, noted = seen
    for how in DEFERRED:
        assert_due(state, noted, job_of("deferring", how), [0 if how == "past" else DEFER_MS])
    (failed,) = [note for note in noted if (note.what, note.event_id) == ("failed", "datetime")]
    (due_ms,) = dues(state, failed.job_id).values()
    assert due_ms == int(failed.facts["until"] * 1000), "a datetime is taken as it is"
    for task, delays_ms in BACKOFFS_MS.items():
        assert_due(state, noted, job_of(task, "always"), delays_ms)
        assert state.attempts(job_of(task, "always")) == len(delays_ms) + 1
    assert {state.outcome(job_of("deferring", how)) for how in DEFERRED} == {"completed"}
    assert set(state.letters) == {job_of(task, "always") for task in BACKOFFS_MS}


def assert_due(state: State, noted: list[Note], job_id: str, delays_ms: list[int]) -> None:
    """Each delay counts from the failure, which is after it was noted and before it was written."""
    ours = [note for note in noted if note.job_id == job_id]
    failed_ms = {note.attempt: note.at * 1000 for note in ours if note.what == "failed"}
    started_ms = {note.attempt: note.at * 1000 for note in ours if note.what == "started"}
    written_ms = {record.document["attempt"]: at for id, at, record in state.written if id == job_id}
    due = dues(state, job_id)
    assert list(due) == list(range(1, len(delays_ms) + 1))
    for attempt, delay_ms in enumerate(delays_ms, start=1):
        assert failed_ms[attempt] + delay_ms - 1 <= due[attempt] <= written_ms[attempt] + delay_ms
        assert started_ms[attempt + 1] >= due[attempt]


def dues(state: State, job_id: str) -> dict[int, int]:
    """When each attempt that failed was to be followed by another."""
    return {record.document["attempt"]: record.due_ms for id, _, record in state.written if id == job_id}
