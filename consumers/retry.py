"""What becomes of a job whose attempt raised: numbers and an error in, an outcome out."""

from collections.abc import Callable
from typing import Final

from consumers.errors import WorkerLost
from consumers.failures import failure_of
from consumers.options import TaskOptions
from consumers.outcomes import DeadLettered, Discarded, Expired, Failure, Outcome, RetryLater
from consumers.verdicts import Discard, Fail, Retry
from schemas.deadletter import Reason

LAST_MS: Final = 253_402_300_799_999  # the end of the year 9999


def decide(
    error: BaseException,
    *,
    attempt: int,
    settings: TaskOptions,
    now_ms: int,
    deadline_ms: int | None,
    random: Callable[[], float],
) -> Outcome:
    """The outcome of the `attempt`-th attempt (attempts used, this one included), which raised `error`.

    `random` gives numbers from 0 up to 1.
    """
    if isinstance(error, Discard):
        return Discarded(error.reason)
    if isinstance(error, settings.discard_on):
        return Discarded(f"{type(error).__name__}: {failure_of(error).message}")
    failure = failure_of(error)
    if isinstance(error, Fail) or _is_final(error, settings):
        return DeadLettered(Reason.FAILED, failure)
    counted = not isinstance(error, Retry) or error.count
    if not counted and deadline_ms is None:
        return DeadLettered(Reason.FAILED, _endless(settings.name))
    if counted and attempt >= settings.max_tries:
        return DeadLettered(
            Reason.WORKER_LOST if isinstance(error, WorkerLost) else Reason.EXHAUSTED, failure
        )
    due_ms = _due_ms(error, attempt, settings, now_ms, random)
    if deadline_ms is not None and due_ms > deadline_ms:
        return Expired(failure)
    return RetryLater(due_ms, failure, counted)


def _is_final(error: BaseException, settings: TaskOptions) -> bool:
    if isinstance(error, Retry | WorkerLost):
        return False
    if isinstance(error, settings.fail_on):
        return True
    return settings.retry_on is not None and not isinstance(error, settings.retry_on)


def _due_ms(
    error: BaseException, attempt: int, settings: TaskOptions, now_ms: int, random: Callable[[], float]
) -> int:
    due_ms = error.due_ms(now_ms) if isinstance(error, Retry) else None
    if due_ms is None:
        due_ms = now_ms + round(settings.backoff.delay_seconds(attempt, random) * 1000)
    return min(due_ms, LAST_MS)


def _endless(task: str) -> Failure:
    return Failure(
        "consumers.Retry",
        f"Retry(count=False) without a deadline would never end: give task {task!r} deadline=…, "
        "or the enqueue, or let it count",
    )
