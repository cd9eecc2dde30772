"""Metrics of several workers, summed, and quantiles of their histograms."""

import math

import pytest
from prometheus_client import generate_latest

from consumers.demo.readings import quantile_seconds, reading_of
from consumers.telemetry.catalogue import Metric
from consumers.telemetry.telemetry import Telemetry


def told(*waits_seconds: float, unsubscribed: int = 0) -> str:
    """The metrics of a worker that started jobs after such waits."""
    telemetry = Telemetry(tasks=["count_flight"], sources=["flights"])
    telemetry.event_unsubscribed("flights", unsubscribed)
    telemetry.metrics.jobs_started.labels("count_flight").inc(len(waits_seconds))
    telemetry.metrics.job_wait.labels("count_flight").observe(list(waits_seconds))
    telemetry.flush()
    return generate_latest(telemetry.registry).decode()


def test_workers_are_summed() -> None:
    reading = reading_of([told(0.001, unsubscribed=2), told(0.001, 0.2, unsubscribed=3)])
    assert reading.total(Metric.EVENTS_UNSUBSCRIBED) == 5
    assert reading.total(Metric.EVENTS_UNSUBSCRIBED, source="flights") == 5
    assert reading.total(Metric.EVENTS_UNSUBSCRIBED, source="others") == 0
    assert reading.by(Metric.JOBS_STARTED, "task") == {"count_flight": 3}
    buckets = reading.buckets(Metric.JOB_WAIT, task="count_flight")
    assert (buckets[0.005], buckets[0.25], buckets[math.inf]) == (2, 3, 3)


def test_a_worker_that_does_not_answer_counts_nothing() -> None:
    reading = reading_of(["", ""])
    assert reading.total(Metric.JOBS_FINISHED) == 0
    assert reading.buckets(Metric.JOB_WAIT) == {}


@pytest.mark.parametrize(
    ("buckets", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({1.0: 0, math.inf: 0}, 0.5, None),
        ({1.0: 10, 2.0: 10, math.inf: 10}, 0.5, 0.5),
        ({1.0: 0, 2.0: 10, math.inf: 10}, 0.5, 1.5),
        ({1.0: 5, 2.0: 10, math.inf: 10}, 0.95, 1.9),
        ({1.0: 1, 2.0: 1, math.inf: 10}, 0.99, 2.0),
    ],
)
def test_quantiles(buckets: dict[float, float], share: float, seconds: float | None) -> None:
    assert quantile_seconds(buckets, share) == (None if seconds is None else pytest.approx(seconds))
