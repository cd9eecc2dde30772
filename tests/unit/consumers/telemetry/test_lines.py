"""Which lines a job leaves in the log."""

from collections import Counter
from typing import Any

from consumers.failures import failure_of
from consumers.outcomes import Completed, DeadLettered, Discarded, Expired, Failure, RetryLater, Skipped
from consumers.telemetry.telemetry import Telemetry
from consumers.verdicts import Retry
from schemas.deadletter import Reason
from tests.unit.consumers.telemetry.clock import Clock
from tests.unit.consumers.telemetry.jobs import NOW_MS, TRACE, job

BROKEN = Failure("ValueError", "no such gate", "Traceback ...")
Lines = list[Any]


def events(lines: Lines) -> list[str]:
    return [line["event"] for line in lines]


def test_a_line_says_which_job(telemetry: Telemetry, lines: Lines) -> None:
    telemetry.started(job(traced=True))
    assert lines == [
        {
            "event": "task_started",
            "log_level": "info",
            "job_id": "job-1",
            "task": "notify",
            "attempt": 1,
            "event_id": "event-1",
            "topic": "flights",
            "partition": 2,
            "offset": 41,
            "trace_id": TRACE,
        }
    ]


def test_arguments_are_shown_only_when_the_task_says_so(telemetry: Telemetry, lines: Lines) -> None:
    silent, open_ = job(), job(log_args=True)
    for one in (silent, open_):
        one.args = {"to": "someone"}
        telemetry.started(one)
    assert [line.get("args") for line in lines] == [None, {"to": "someone"}]


def test_long_arguments_are_cut(telemetry: Telemetry, lines: Lines) -> None:
    long = job(log_args=True)
    long.args = {"body": "x" * 10_000}
    telemetry.started(long)
    assert len(lines[0]["args"]) < 2_100


def test_a_failure_is_told_with_what_follows(telemetry: Telemetry, lines: Lines) -> None:
    telemetry.settled(job(), RetryLater(NOW_MS + 2_500, BROKEN), 0.1)
    failed, retrying = lines
    assert (failed["event"], failed["error_type"], failed["exception"]) == (
        "task_failed",
        "ValueError",
        "Traceback ...",
    )
    assert (retrying["event"], retrying["defer_seconds"], retrying["attempt"]) == ("task_retrying", 2.5, 1)


def test_a_retry_the_handler_asked_for_is_no_failure(telemetry: Telemetry, lines: Lines) -> None:
    telemetry.settled(job(), RetryLater(NOW_MS, failure_of(Retry("not yet"))), 0.1)
    telemetry.settled(job(), RetryLater(NOW_MS, BROKEN, counted=False), 0.1)
    assert events(lines) == ["task_retrying", "task_retrying"]


def test_every_other_end_has_its_line(telemetry: Telemetry, lines: Lines) -> None:
    telemetry.settled(job(), Completed(), 0.25)
    telemetry.settled(job(), DeadLettered(Reason.EXHAUSTED, BROKEN), 0.1)
    telemetry.settled(job(), DeadLettered(Reason.WORKER_LOST, BROKEN))
    telemetry.settled(job(), Discarded("stale"), 0.1)
    telemetry.settled(job(), Expired(BROKEN))
    telemetry.settled(job(), Skipped())
    assert events(lines) == [
        "task_completed",
        "task_failed",
        "task_dead_lettered",
        "task_dead_lettered",
        "task_discarded",
        "task_expired",
        "task_skipped",
    ]
    assert lines[0]["duration_seconds"] == 0.25
    assert lines[2]["reason"] == "exhausted"
    assert lines[-1]["log_level"] == "debug"


def run_jobs(telemetry: Telemetry, count: int) -> None:
    for index in range(count):
        one = job()
        telemetry.started(one)
        telemetry.settled(one, Completed(), index / 1_000)
    telemetry.flush()


def test_lines_and_summaries_add_up_to_what_happened(
    telemetry: Telemetry, lines: Lines, clock: Clock
) -> None:
    for count in (1_000, 1_000, 50, 50):
        run_jobs(telemetry, count)
        clock.advance(1.0)
        telemetry.flush()
    written = Counter(events(lines))
    summaries = [line for line in lines if line["event"] == "task_completed_summary"]
    assert written["task_completed"] == 200 + 0 + 0 + 50
    assert [line["count"] for line in summaries] == [800, 1_000, 50]
    assert [line["started"] for line in summaries] == [800, 1_000, 50]
    assert summaries[0]["p50_seconds"] == 0.5
    assert summaries[0]["max_seconds"] == 0.999


def test_a_flood_of_failures_is_bounded_and_counted(telemetry: Telemetry, lines: Lines, clock: Clock) -> None:
    for _ in range(500):
        telemetry.settled(job(), DeadLettered(Reason.FAILED, BROKEN), 0.1)
    clock.advance(1.0)
    telemetry.flush()
    assert Counter(events(lines)) == {
        "task_failed": 200,
        "task_dead_lettered": 200,
        "task_dead_lettered_summary": 1,
    }
    assert lines[-1]["count"] == 300


def test_a_late_summary_judges_by_the_rate(telemetry: Telemetry, lines: Lines, clock: Clock) -> None:
    run_jobs(telemetry, 300)
    clock.advance(10)
    telemetry.flush()
    lines.clear()
    run_jobs(telemetry, 1)
    assert events(lines) == ["task_started", "task_completed"]
