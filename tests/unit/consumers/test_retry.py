import datetime as dt

import pytest

from consumers import Discard, Fail, Fixed, Retry
from consumers.errors import TaskTimeout
from consumers.options import read_options
from consumers.outcomes import DeadLettered, Discarded, Expired, RetryLater
from consumers.retry import LAST_MS, decide
from schemas.deadletter import Reason

NOW_MS = 1_900_000_000_000


def decision(error, *, attempt=1, deadline_ms=None, **options):
    settings = read_options({"backoff": Fixed(10), **options}, function_name="work")
    return decide(
        error, attempt=attempt, settings=settings, now_ms=NOW_MS, deadline_ms=deadline_ms, random=lambda: 0.5
    )


def test_an_error_is_retried_after_the_backoff():
    outcome = decision(OSError("gone"))
    assert isinstance(outcome, RetryLater)
    assert (outcome.due_ms, outcome.counted) == (NOW_MS + 10_000, True)
    assert (outcome.failure.type, outcome.failure.message) == ("OSError", "gone")


@pytest.mark.parametrize(
    "error", [SystemExit(2), KeyboardInterrupt(), TaskTimeout("too long"), MemoryError()]
)
def test_whatever_a_handler_raises_counts_as_a_failure(error):
    assert isinstance(decision(error), RetryLater)


def test_the_last_try_exhausts():
    assert isinstance(decision(OSError(), attempt=2, max_tries=3), RetryLater)
    outcome = decision(OSError(), attempt=3, max_tries=3)
    assert isinstance(outcome, DeadLettered)
    assert outcome.reason is Reason.EXHAUSTED


def test_discard_and_fail():
    assert decision(Discard("stale")) == Discarded("stale")
    outcome = decision(Fail("no such user"))
    assert isinstance(outcome, DeadLettered)
    assert outcome.reason is Reason.FAILED
    assert outcome.failure.message == "no such user"


def test_error_classes_decide():
    assert decision(KeyError("a"), discard_on=LookupError) == Discarded("KeyError: 'a'")
    assert decision(KeyError("a"), fail_on=LookupError).reason is Reason.FAILED
    assert isinstance(decision(ConnectionError(), retry_on=OSError), RetryLater)
    assert decision(KeyError("a"), retry_on=OSError).reason is Reason.FAILED
    assert decision(TaskTimeout(), retry_on=ConnectionError).reason is Reason.FAILED
    assert isinstance(decision(TaskTimeout(), retry_on=TimeoutError), RetryLater)


def test_fail_on_goes_before_retry_on():
    assert decision(ConnectionError(), retry_on=OSError, fail_on=ConnectionError).reason is Reason.FAILED


@pytest.mark.parametrize(
    ("defer", "due_ms"),
    [
        (None, NOW_MS + 10_000),
        (0, NOW_MS),
        (1.5, NOW_MS + 1_500),
        (dt.timedelta(hours=1), NOW_MS + 3_600_000),
        (dt.datetime.fromtimestamp(NOW_MS / 1000 + 7, dt.UTC), NOW_MS + 7_000),
        (dt.datetime(2001, 1, 1, tzinfo=dt.UTC), NOW_MS),
        (dt.datetime.max.replace(tzinfo=dt.UTC), LAST_MS),
    ],
)
def test_retry_says_when(defer, due_ms):
    assert decision(Retry(defer=defer)).due_ms == due_ms


def test_retry_goes_before_the_error_classes():
    assert isinstance(decision(Retry(), retry_on=OSError, fail_on=Exception), RetryLater)


def test_a_counted_retry_uses_up_tries():
    assert decision(Retry(defer=1), attempt=5).reason is Reason.EXHAUSTED


def test_an_uncounted_retry_goes_on_until_the_deadline():
    outcome = decision(Retry(defer=1, count=False), attempt=99, deadline_ms=NOW_MS + 60_000)
    assert isinstance(outcome, RetryLater)
    assert not outcome.counted
    assert isinstance(decision(Retry(defer=61, count=False), deadline_ms=NOW_MS + 60_000), Expired)


def test_an_uncounted_retry_needs_a_deadline():
    outcome = decision(Retry(defer=1, count=False))
    assert outcome.reason is Reason.FAILED
    assert "deadline" in outcome.failure.message
    assert "'work'" in outcome.failure.message


def test_a_retry_after_the_deadline_expires():
    outcome = decision(OSError("gone"), deadline_ms=NOW_MS + 9_999)
    assert isinstance(outcome, Expired)
    assert outcome.failure.message == "gone"
    assert isinstance(decision(OSError(), deadline_ms=NOW_MS + 10_000), RetryLater)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Retry(defer=-1),
        lambda: Retry(defer=float("nan")),
        lambda: Retry(defer="soon"),
        lambda: Retry(defer=dt.datetime(2030, 1, 1)),  # noqa: DTZ001
    ],
)
def test_a_retry_at_no_time_is_refused(make):
    with pytest.raises(ValueError, match=r"wanted|zone"):
        make()


def test_the_reason_is_text():
    with pytest.raises(TypeError, match=r"Retry\(30\): the reason is text"):
        Retry(30)
