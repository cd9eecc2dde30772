from typing import Any

import pytest

from events.status.document import status_of
from events.status.folded import Folded
from schemas.job import JobState
from schemas.status import JobStatus, moment
from tests.unit.events.status.records import NOW_MS, document


def told(state: str = "completed", *, revision: int = 1, ledger: bool = True, **more: Any) -> JobStatus:
    part = [revision, 0, document(state, **more)]
    job: Folded = {"s": {"jobs/3": {"l": part} if ledger else {"r": [*part, 0]}}}
    found = status_of("j", job)
    assert found is not None
    return found


def test_nothing_is_known_of_an_empty_job() -> None:
    assert status_of("j", {}) is None


def test_the_newest_attempt_is_told_with_the_ones_before() -> None:
    before = {"n": 1, "started_ms": NOW_MS, "ended_ms": NOW_MS + 1, "worker": "w", "outcome": "worker_lost"}
    found = told(
        "failed",
        attempt=2,
        attempts=[before],
        started_ms=NOW_MS + 2,
        finished_ms=NOW_MS + 3,
        worker="v",
        error={"type": "consumers.errors.TaskTimeout", "message": "late"},
    )
    assert [(each.n, each.outcome, each.worker) for each in found.attempts] == [
        (1, "worker_lost", "w"),
        (2, "timed_out", "v"),
    ]
    assert found.attempts[1].error == found.error


def test_a_running_attempt_has_not_ended() -> None:
    found = told("running", ledger=False, started_ms=NOW_MS)
    assert (found.attempts, found.started_at, found.finished) == ([], moment(NOW_MS), False)


def test_only_who_waits_is_due() -> None:
    job: Folded = {"s": {"flights.x/0": {"r": [1, NOW_MS, document("running"), 0]}}}
    running = status_of("j", job)
    assert running is not None
    assert (running.due_at, running.source, running.partition) == (None, "flights.x", 0)


@pytest.mark.parametrize("field", ["error", "progress", "attempts", "event", "at", "worker", "started_ms"])
@pytest.mark.parametrize("value", [7, "text", [1], {"type": 3, "done": "x", "n": "y"}, [{"n": []}], None, -1])
def test_whatever_a_document_holds_there_is_a_status(field: str, value: object) -> None:
    assert told(**{field: value}).state is JobState.COMPLETED


def test_progress_and_reason_are_told() -> None:
    found = told("cancelled", progress={"done": 3, "total": 4, "at_ms": NOW_MS}, cancel_reason="not wanted")
    assert found.progress is not None
    assert (found.progress.done, found.progress.total, found.cancel_reason) == (3, 4, "not wanted")


@pytest.mark.parametrize("ms", [None, 0, -5, 1 << 62])
def test_no_moment_is_none(ms: int | None) -> None:
    assert moment(ms) is None


def test_a_finished_place_counts_before_one_that_runs_the_same_job() -> None:
    job: Folded = {
        "s": {
            "a/0": {"r": [9, 0, document("running"), 0]},
            "a/1": {"l": [1, 0, document("completed")]},
        }
    }
    found = status_of("j", job)
    assert found is not None
    assert (found.state, found.partition) == (JobState.COMPLETED, 1)
