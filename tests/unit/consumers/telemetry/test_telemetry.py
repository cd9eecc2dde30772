from typing import Any

import pytest
import structlog

from consumers.outcomes import (
    SEEN_AS,
    Cancelled,
    Completed,
    DeadLettered,
    Discarded,
    Expired,
    Failure,
    Outcome,
    RetryLater,
    Skipped,
)
from consumers.telemetry.telemetry import Telemetry
from schemas.deadletter import Reason
from tests.unit.consumers.telemetry.clock import Clock
from tests.unit.consumers.telemetry.jobs import NOW_MS, TRACE, job

BROKEN = Failure("ValueError", "no such gate", "Traceback ...")
OUTCOMES: list[Outcome] = [
    Completed(),
    RetryLater(NOW_MS + 5_000, BROKEN),
    DeadLettered(Reason.EXHAUSTED, BROKEN),
    Discarded("stale"),
    Skipped(),
    Cancelled("by request"),
    Expired(BROKEN),
]


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value("headrace_" + name, labels)


def test_every_outcome_has_its_label_and_state() -> None:
    assert {type(outcome) for outcome in OUTCOMES} == set(SEEN_AS)
    assert len({seen.label for seen in SEEN_AS.values()}) == len(OUTCOMES)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_a_settled_attempt_is_counted_and_timed_by_outcome(telemetry: Telemetry, outcome: Outcome) -> None:
    label = SEEN_AS[type(outcome)].label
    one = job(waited_ms=2_000)
    telemetry.started(one)
    telemetry.settled(one, outcome, 0.3)
    telemetry.flush()
    assert value(telemetry, "jobs_started_total", task="notify") == 1
    assert value(telemetry, "jobs_finished_total", task="notify", outcome=label) == 1
    assert value(telemetry, "job_duration_seconds_sum", task="notify", outcome=label) == 0.3
    assert value(telemetry, "job_wait_seconds_sum", task="notify") == 2.0
    assert value(telemetry, "jobs_running", task="notify") == 0
    final = not isinstance(outcome, RetryLater | Skipped)
    assert value(telemetry, "job_end_to_end_seconds_count", task="notify") == int(final)


def test_what_never_ran_has_no_duration(telemetry: Telemetry) -> None:
    telemetry.settled(job(), Skipped())
    telemetry.settled(job(), Completed())
    telemetry.flush()
    assert value(telemetry, "jobs_finished_total", task="notify", outcome="skipped") == 1
    assert value(telemetry, "jobs_finished_total", task="notify", outcome="completed") == 1
    assert value(telemetry, "job_duration_seconds_count", task="notify", outcome="completed") == 0
    assert value(telemetry, "jobs_running", task="notify") == 0


def test_an_abandoned_attempt_runs_no_more(telemetry: Telemetry) -> None:
    telemetry.started(job())
    telemetry.flush()
    assert value(telemetry, "jobs_running", task="notify") == 1
    telemetry.abandoned(job())
    telemetry.flush()
    assert value(telemetry, "jobs_running", task="notify") == 0
    assert value(telemetry, "jobs_abandoned_total", task="notify") == 1


def test_an_unknown_task_lends_its_name_to_no_label(telemetry: Telemetry) -> None:
    telemetry.settled(job("made-up", known=False), DeadLettered(Reason.UNKNOWN_TASK, BROKEN))
    telemetry.flush()
    assert value(telemetry, "dead_letters_total", task="", reason="unknown_task") == 1
    assert value(telemetry, "jobs_finished_total", task="made-up", outcome="dead_lettered") is None


def test_series_of_known_tasks_and_sources_start_at_zero(telemetry: Telemetry) -> None:
    assert value(telemetry, "jobs_finished_total", task="notify", outcome="expired") == 0
    assert value(telemetry, "dead_letters_total", task="notify", reason="worker_lost") == 0
    assert value(telemetry, "job_wait_seconds_count", task="notify") == 0
    assert value(telemetry, "settle_seconds_count") == 0
    assert value(telemetry, "events_unsubscribed_total", source="flights") == 0
    assert value(telemetry, "job_slots") == 8


def test_events_in(telemetry: Telemetry) -> None:
    telemetry.events_received("flights", "flight.departed", 7)
    telemetry.event_unsubscribed("flights", 2)
    telemetry.undecodable("flights", "undecodable")
    telemetry.flush()
    assert value(telemetry, "events_received_total", source="flights", type="flight.departed") == 7
    assert value(telemetry, "events_unsubscribed_total", source="flights") == 2
    assert value(telemetry, "events_undecodable_total", source="flights", reason="undecodable") == 1
    assert value(telemetry, "dead_letters_total", task="", reason="undecodable") == 1


def test_types_made_up_by_publishers_do_not_fill_the_memory(telemetry: Telemetry) -> None:
    for index in range(1_000):
        telemetry.events_received("flights", f"type.{index}", 1)
    telemetry.flush()
    assert value(telemetry, "events_received_total", source="flights", type="other") == 800


def test_partitions_sum_up_by_source_and_end_with_their_owner(telemetry: Telemetry) -> None:
    telemetry.partition("flights", 0, in_flight=3, parked={"retry": 2}, due=1, late_seconds=0.5)
    telemetry.partition("flights", 1, in_flight=4, parked={"retry": 1, "delay": 5}, due=2, late_seconds=9.0)
    telemetry.flush()
    assert value(telemetry, "jobs_in_flight", source="flights", partition="1") == 4
    assert value(telemetry, "parked_jobs", source="flights", kind="retry") == 3
    assert value(telemetry, "parked_jobs", source="flights", kind="schedule") == 0
    assert value(telemetry, "parked_due_jobs", source="flights") == 3
    assert value(telemetry, "parked_late_seconds", source="flights") == 9.0
    telemetry.forget_partition("flights", 1)
    telemetry.flush()
    assert value(telemetry, "jobs_in_flight", source="flights", partition="1") is None
    assert value(telemetry, "parked_jobs", source="flights", kind="delay") == 0
    assert value(telemetry, "parked_late_seconds", source="flights") == 0.5


def test_a_partition_forgotten_before_it_was_shown(telemetry: Telemetry) -> None:
    telemetry.partition("flights", 0, in_flight=3, parked={}, due=0, late_seconds=0)
    telemetry.forget_partition("flights", 0)
    telemetry.forget_partition("elsewhere", 0)
    telemetry.flush()
    assert value(telemetry, "telemetry_errors_total") == 0


def test_the_engine_room(telemetry: Telemetry, clock: Clock) -> None:
    telemetry.rebalanced()
    telemetry.restore_remaining(12)
    telemetry.group_settled(0.004)
    telemetry.committed()
    clock.advance(3)
    telemetry.flush()
    assert value(telemetry, "rebalances_total") == 1
    assert value(telemetry, "restore_remaining_records") == 12
    assert value(telemetry, "settle_seconds_count") == 1
    assert value(telemetry, "commit_offset_age_seconds") == 3


def test_a_traced_job_leaves_exemplars(telemetry: Telemetry) -> None:
    one = job(waited_ms=40, traced=True)
    telemetry.started(one)
    telemetry.settled(one, Completed(), 0.2)
    telemetry.flush()
    pointed = {
        sample.name
        for metric in telemetry.registry.collect()
        for sample in metric.samples
        if sample.exemplar and sample.exemplar.labels == {"trace_id": TRACE}
    }
    assert pointed == {"headrace_job_wait_seconds_bucket", "headrace_job_duration_seconds_bucket"}


def test_telemetry_that_fails_is_said_once_and_stops_nothing(telemetry: Telemetry, lines: list[Any]) -> None:
    nonsense: Any = object()
    for _ in range(3):
        telemetry.settled(nonsense, Completed(), 0.1)
    telemetry.flush()
    assert value(telemetry, "telemetry_errors_total") == 3
    assert [line["where"] for line in lines if line["event"] == "telemetry_failed"] == ["settled"]


def test_a_log_that_cannot_be_written_stops_nothing(telemetry: Telemetry) -> None:
    def closed(*_: Any) -> Any:
        raise BrokenPipeError

    structlog.configure(processors=[closed])
    telemetry.started(job())
    telemetry.flush()
    assert value(telemetry, "jobs_started_total", task="notify") == 1
    assert value(telemetry, "telemetry_errors_total") == 1


def test_two_workers_in_one_process_do_not_share_numbers() -> None:
    one, other = Telemetry(tasks=["notify"]), Telemetry(tasks=["notify"])
    one.started(job())
    one.flush()
    assert value(other, "jobs_started_total", task="notify") == 0
