import pytest

from consumers.engine.decisions import KNOWN, REROUTED, Parked
from consumers.engine.group import Group, Planner, Settled, TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.statedb import Change
from consumers.outcomes import (
    COMPLETED,
    Cancelled,
    Completed,
    DeadLettered,
    Discarded,
    Expired,
    Failure,
    RetryLater,
    Skipped,
)
from schemas.deadletter import Reason
from schemas.job import JobState
from schemas.state import decode_state
from tests.unit.consumers.engine.orders import NOW_MS, PEN, a_job, a_task

WHY = Failure("ValueError", "no")
PLANNER = Planner(pen=PEN, max_result_bytes=100)


def plan(job, decision, planner=PLANNER):
    return planner.plan([Settled(job, decision)], NOW_MS)


def state(change):
    return decode_state(change.value).document["state"]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (COMPLETED, "completed"),
        (Discarded("no need"), "discarded"),
        (Cancelled("asked"), "cancelled"),
    ],
)
def test_an_end_is_a_ledger_record(decision, expected):
    group = plan(a_job(), decision)
    assert [state(change) for change in group.ledger] == [expected]
    assert (group.parked, group.letters, group.tombstones) == ([], [], [])


@pytest.mark.parametrize(
    ("decision", "expected", "reason"),
    [
        (DeadLettered(Reason.EXHAUSTED, WHY), "failed", b"exhausted"),
        (Expired(WHY), "expired", b"expired"),
    ],
)
def test_a_bad_end_is_a_letter_and_a_ledger_record_of_the_revision_it_names(decision, expected, reason):
    job = a_job(revision=3)
    group = plan(job, decision)
    assert [state(change) for change in group.ledger] == [expected]
    (letter,) = group.letters
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (job.raw.key, job.raw.value)
    assert headers["headrace-reason"] == reason
    assert int(headers["headrace-revision"]) == decode_state(group.ledger[0].value).revision == 4


@pytest.mark.parametrize("decision", [Skipped(), KNOWN, REROUTED])
def test_what_is_known_or_runs_elsewhere_writes_nothing(decision):
    assert plan(a_job(), decision) == Group()


def test_a_retry_is_parked_and_counts_its_attempt():
    job = a_job(attempt=2)
    group = plan(job, RetryLater(NOW_MS + 5, WHY))
    (change,) = group.parked
    record = decode_state(change.value)
    assert (record.due_ms, record.document["attempt"], record.document["state"]) == (
        NOW_MS + 5,
        2,
        "retrying",
    )
    assert record.document["first_failed_ms"] == NOW_MS
    assert (job.stored, job.due_ms, change.old_due_ms) == (JobState.RETRYING, NOW_MS + 5, 0)


def test_a_retry_that_does_not_count_leaves_the_tries_as_they_are():
    group = plan(a_job(attempt=2, first_failed_ms=8), RetryLater(NOW_MS + 5, WHY, counted=False))
    document = decode_state(group.parked[0].value).document
    assert (document["attempt"], document["first_failed_ms"]) == (1, 8)


def test_a_job_parked_before_it_ran_made_no_attempt():
    group = plan(a_job(), Parked(NOW_MS + 5))
    document = decode_state(group.parked[0].value).document
    assert (document["attempt"], document["state"]) == (0, "scheduled")


def test_parking_again_replaces_the_index_entry():
    job = a_job(stored=JobState.RETRYING, due_ms=77)
    assert plan(job, RetryLater(NOW_MS + 5, WHY)).parked[0].old_due_ms == 77


def test_the_end_of_a_stored_job_removes_its_record():
    job = a_job(stored=JobState.RETRYING, due_ms=77)
    group = plan(job, COMPLETED)
    assert [tuple(change) for change in group.tombstones] == [(b"j1", None, 77)]
    assert job.stored is None


def test_a_letter_of_no_job_is_not_in_the_ledger():
    group = plan(a_job("", task=None), DeadLettered(Reason.UNDECODABLE, WHY))
    assert (len(group.letters), group.ledger) == (1, [])


def test_results_are_kept_as_the_task_wants():
    kept = plan(a_job(), Completed([1])).ledger[0]
    assert decode_state(kept.value).document["result"] == [1]
    left_out = plan(a_job(task=a_task(store_result=False)), Completed([1])).ledger[0]
    assert "result" not in decode_state(left_out.value).document
    document = decode_state(plan(a_job(), Completed("x" * 200)).ledger[0].value).document
    assert document["state"] == "completed"
    assert document["error"]["type"] == "ResultNotKept"


def test_ends_are_remembered_as_long_as_the_task_says():
    task = a_task(dedupe_ttl_seconds=5.0, result_ttl_seconds=9.0, failure_ttl_seconds=2.0)

    def ttl_ms(decision, task=task):
        return decode_state(plan(a_job(task=task), decision).ledger[0].value).expires_ms - NOW_MS

    assert ttl_ms(COMPLETED) == 9_000
    assert ttl_ms(DeadLettered(Reason.FAILED, WHY)) == 2_000
    assert ttl_ms(Expired(WHY)) == 2_000
    assert ttl_ms(DeadLettered(Reason.UNKNOWN_TASK, WHY), task=None) == 7 * 24 * 3600 * 1000


def test_a_job_too_large_to_be_parked_is_a_letter_and_its_neighbour_is_parked():
    planner = Planner(pen=PEN, max_result_bytes=100, max_record_bytes=600)
    large = a_job("large", steps={"big": "x" * 1000})
    small = a_job("small")
    settled = [Settled(large, RetryLater(NOW_MS, WHY)), Settled(small, RetryLater(NOW_MS, WHY))]
    group = planner.plan(settled, NOW_MS)
    assert [change.id for change in group.parked] == [b"small"]
    assert [change.id for change in group.ledger] == [b"large"]
    assert isinstance(settled[0].decision, DeadLettered)
    assert "ValueError: no" in settled[0].decision.failure.message
    assert large.stored is None
    (letter,) = group.letters
    assert int(dict(letter.headers)["headrace-revision"]) == decode_state(group.ledger[0].value).revision


def _running(planner: Planner, job: Job) -> Change:
    group = Group()
    planner.plan_running(group, job, NOW_MS)
    (change,) = group.parked
    return change


def test_a_running_record_is_due_now_so_that_the_next_owner_looks_at_it():
    job = a_job(stored=JobState.RETRYING, due_ms=77, attempt=4)
    change = _running(PLANNER, job)
    record = decode_state(change.value)
    assert (record.due_ms, record.document["state"], record.document["attempt"]) == (NOW_MS, "running", 4)
    assert (change.old_due_ms, job.stored) == (77, JobState.RUNNING)


def test_a_running_record_that_is_too_large_changes_nothing_but_the_revision():
    planner = Planner(pen=PEN, max_result_bytes=100, max_record_bytes=10)
    job = a_job()
    with pytest.raises(TooLargeToKeep, match="event and steps"):
        _running(planner, job)
    assert (job.stored, job.due_ms) == (None, 0)
