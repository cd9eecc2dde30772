import datetime as dt

from consumers.engine import records
from consumers.engine.records import NO_RESULT
from consumers.outcomes import Failure
from schemas.deadletter import Reason
from schemas.job import JobState
from schemas.state import decode_state
from tests.unit.consumers.engine.orders import NOW_MS, PEN, a_job

WHY = Failure("ValueError", "no", "stack")


def test_an_unfinished_job_comes_back_with_all_that_its_next_attempt_needs():
    job = a_job(
        attempt=3, started_ms=1, first_failed_ms=2, deadline_ms=3, unknown_since_ms=4, steps={"paid": [1]},
        suspected=2, alone=1,
    )  # fmt: skip
    record = decode_state(records.unfinished(job, JobState.RETRYING, PEN, due_ms=99, failure=WHY))
    assert (record.due_ms, record.expires_ms, record.writer, record.revision) == (99, 0, 7, 1)
    assert record.raw == job.raw
    assert record.document == {
        "state": "retrying", "task": "notify", "attempt": 3, "at": ["orders", 0, 5],
        "event": ["e1", "a.b", "/s"], "enqueued_ms": NOW_MS - 1000, "worker": "w1", "key": "k",
        "started_ms": 1, "first_failed_ms": 2, "deadline_ms": 3, "unknown_since_ms": 4,
        "steps": {"paid": [1]}, "suspected": 2, "alone": 1, "error": {"type": "ValueError", "message": "no"},
    }  # fmt: skip


def test_what_a_job_does_not_have_is_left_out():
    record = decode_state(records.unfinished(a_job(key=None), JobState.SCHEDULED, PEN, due_ms=1))
    assert set(record.document) == {"state", "task", "attempt", "at", "event", "enqueued_ms", "worker"}


def test_a_key_that_is_no_text_is_shown_as_far_as_it_is_and_kept_in_the_raw_record():
    record = decode_state(records.unfinished(a_job(key=b"\xff"), JobState.RETRYING, PEN, due_ms=1))
    assert record.document["key"] == "�"
    assert record.raw.key == b"\xff"


def test_a_finished_job_expires_and_carries_no_raw_record():
    job = a_job()
    value = records.finished(job, JobState.COMPLETED, PEN, now_ms=NOW_MS, ttl_ms=50, result={"a": 1})
    record = decode_state(value)
    assert (record.expires_ms, record.revision, record.raw) == (NOW_MS + 50, 1, None)
    assert record.document["result"] == {"a": 1}
    assert "error" not in record.document


def test_every_record_of_a_job_has_a_higher_revision():
    job = a_job(revision=6)
    records.unfinished(job, JobState.RUNNING, PEN, due_ms=1)
    failed = records.finished(job, JobState.FAILED, PEN, now_ms=NOW_MS, ttl_ms=1, failure=WHY)
    assert decode_state(failed).revision == 8


def test_results_are_kept_as_json_can_hold_them():
    day = dt.date(2026, 1, 2)
    assert records.result_of({"on": day}, 100) == ({"on": "2026-01-02"}, None)
    assert records.result_of(None, 0) == (None, None)
    assert records.result_of(False, 0) == (False, None)


def test_a_result_that_cannot_be_kept_says_why():
    for value, why in ((object(), "cannot be written as JSON"), ("x" * 99, "101 bytes"), (1 << 80, "JSON")):
        kept, said = records.result_of(value, 100)
        assert kept is NO_RESULT
        assert why in said


def test_a_result_that_holds_itself_is_not_kept():
    loop = []
    loop.append(loop)
    assert records.result_of(loop, 100)[0] is NO_RESULT


def test_a_letter_keeps_foreign_headers_and_says_what_happened():
    job = a_job(revision=2, attempt=5, first_failed_ms=NOW_MS - 7)
    job.raw = job.raw._replace(headers=(*job.raw.headers, ("headrace-reason", b"old")))
    headers = records.letter_headers(job, Reason.EXHAUSTED, WHY, PEN, NOW_MS)
    assert headers[:2] == [("ce_id", b"e1"), ("empty", None)]
    own = dict(headers[2:])
    assert len(own) == len(headers) - 2
    assert own["headrace-reason"] == b"exhausted"
    assert own["headrace-attempts"] == b"5"
    assert own["headrace-revision"] == b"3"  # of the ledger record written with it
    assert own["headrace-first-failed-at"] == str(NOW_MS - 7).encode()
    assert own["headrace-origin-offset"] == b"5"


def test_a_letter_of_no_job_made_no_attempt():
    own = dict(records.letter_headers(a_job("", task=None), Reason.INVALID, Failure("E", ""), PEN, NOW_MS))
    assert own["headrace-attempts"] == b"0"
    assert "headrace-job-id" not in own
    assert "headrace-exception-message" not in own
