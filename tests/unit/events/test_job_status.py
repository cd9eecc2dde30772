from typing import Any

import pytest

from events.errors import JobCancelled, JobDiscarded, JobExpired, JobFailed, ResultNotKept
from events.job_status import answer_of, result_of, status_of
from schemas.job import JobState
from schemas.state import decode_state, encode_state


def record(**document: Any) -> Any:
    return decode_state(encode_state({"task": "t", "attempt": 2, **document}))


def test_a_job_nobody_said_anything_of_is_pending() -> None:
    assert status_of("j", None).state is JobState.PENDING


def test_a_completed_job_gives_its_result() -> None:
    assert result_of(status_of("j", record(state="completed", result=[1]))) == [1]
    assert result_of(status_of("j", record(state="completed"))) is None


def test_a_result_that_was_not_kept_is_an_error() -> None:
    error = {"type": "ResultNotKept", "message": "too large"}
    with pytest.raises(ResultNotKept, match="too large"):
        result_of(status_of("j", record(state="completed", error=error)))


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("failed", JobFailed),
        ("expired", JobExpired),
        ("cancelled", JobCancelled),
        ("discarded", JobDiscarded),
    ],
)
def test_a_job_without_a_result_raises_what_was_recorded(state: str, kind: Any) -> None:
    error = {"type": "ValueError", "message": "no"}
    with pytest.raises(kind, match=f"job j of t {state}: ValueError: no") as raised:
        result_of(status_of("j", record(state=state, error=error)))
    assert raised.value.status.attempt == 2


def test_the_reason_of_a_cancelled_job_is_said() -> None:
    with pytest.raises(JobCancelled, match="not wanted"):
        result_of(status_of("j", record(state="cancelled", cancel_reason="not wanted")))


def test_an_answer_is_read() -> None:
    answer = answer_of(record(state="answered", answer="cancelling", job_state="running"))
    assert (answer.answer, answer.job_state, answer.why) == ("cancelling", JobState.RUNNING, None)
