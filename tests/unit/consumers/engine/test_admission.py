import pytest

from consumers.engine.admission import Judgement, judge, newest
from schemas.state import encode_state
from tests.unit.consumers.engine.orders import NOW_MS, a_job


def value(*, revision=1, offset=5, **header):
    return encode_state({"at": ("orders", 0, offset)}, revision=revision, **header)


def test_a_job_nobody_wrote_of_is_new():
    assert judge(a_job(), None, None, NOW_MS) is Judgement.NEW


@pytest.mark.parametrize("where", [(value(), None), (None, value())])
def test_the_record_that_asked_for_it_is_the_same_one(where):
    assert judge(a_job(), *where, NOW_MS) is Judgement.SAME  # type: ignore[call-arg]
    assert judge(a_job(offset=6), *where, NOW_MS) is Judgement.DUPLICATE  # type: ignore[call-arg]


def test_a_record_of_no_place_is_anothers():
    assert judge(a_job(), encode_state({}), None, NOW_MS) is Judgement.DUPLICATE


def test_an_expired_end_is_forgotten():
    assert judge(a_job(), value(expires_ms=NOW_MS), None, NOW_MS) is Judgement.NEW
    assert judge(a_job(), value(expires_ms=NOW_MS + 1), None, NOW_MS) is Judgement.SAME


def test_the_higher_revision_holds_and_the_ledger_when_they_are_equal():
    low, high = value(revision=1), value(revision=2)
    assert newest(low, high, NOW_MS) is high
    assert newest(high, low, NOW_MS) is high
    ledger, parked = value(revision=3), value(revision=3, due_ms=9)
    assert newest(ledger, parked, NOW_MS) is ledger
    assert newest(value(revision=9, expires_ms=1), low, NOW_MS) is low
    assert newest(None, None, NOW_MS) is None


def test_a_redrive_runs_while_its_letter_is_the_newest_record():
    job = a_job(redrives=4)
    assert judge(job, value(revision=4, expires_ms=NOW_MS + 1), None, NOW_MS) is Judgement.NEW
    assert job.revision == 4  # what is written next stands above it


@pytest.mark.parametrize("revision", [3, 5])
def test_a_redrive_of_another_record_is_known(revision):
    job = a_job(redrives=4)
    assert judge(job, value(revision=revision), None, NOW_MS) is Judgement.SAME
    assert job.revision == 0


def test_a_redrive_after_everything_was_forgotten_runs():
    assert judge(a_job(redrives=4), None, None, NOW_MS) is Judgement.NEW


def finished(*, offset=5, revision=3, **more):
    return encode_state({"at": ("orders", 0, offset), **more}, revision=revision)


def test_a_unique_job_runs_again_once_its_equal_has_finished():
    job = a_job(unique=True, offset=6)
    assert judge(job, finished(), None, NOW_MS) is Judgement.NEW
    assert job.revision == 3, "what is written next stands above it"
    assert judge(a_job(unique=True, offset=6), None, value(), NOW_MS) is Judgement.DUPLICATE


def test_a_unique_job_delivered_again_does_not_run_again():
    assert judge(a_job(unique=True), finished(), None, NOW_MS) is Judgement.SAME
    assert judge(a_job(unique=True, offset=4), finished(), None, NOW_MS) is Judgement.SAME


def test_a_redriven_job_remembers_its_attempts():
    job = a_job(redrives=3)
    judge(job, finished(state="failed", attempt=2, started_ms=1, finished_ms=2), None, NOW_MS)
    assert [(each["n"], each["outcome"]) for each in job.attempts] == [(2, "failed")]
