"""The catalogue made live in a registry of its own, so that a test can have as many workers as it likes."""

import importlib.metadata
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from consumers.outcomes import SEEN_AS
from consumers.telemetry.catalogue import Metric
from consumers.telemetry.histogram import BatchHistogram
from schemas.deadletter import Reason


class Metrics:
    """One attribute per entry of the catalogue. `registry` is what a scrape reads."""

    def __init__(self, *, release: str = "0", slots: int = 0) -> None:
        self.registry = CollectorRegistry()
        self.events_received = self._counter(Metric.EVENTS_RECEIVED)
        self.events_unsubscribed = self._counter(Metric.EVENTS_UNSUBSCRIBED)
        self.events_undecodable = self._counter(Metric.EVENTS_UNDECODABLE)
        self.jobs_started = self._counter(Metric.JOBS_STARTED)
        self.jobs_finished = self._counter(Metric.JOBS_FINISHED)
        self.jobs_abandoned = self._counter(Metric.JOBS_ABANDONED)
        self.dead_letters = self._counter(Metric.DEAD_LETTERS)
        self.job_wait = self._histogram(Metric.JOB_WAIT)
        self.job_duration = self._histogram(Metric.JOB_DURATION)
        self.job_end_to_end = self._histogram(Metric.JOB_END_TO_END)
        self.jobs_running = self._gauge(Metric.JOBS_RUNNING)
        self.job_slots = self._gauge(Metric.JOB_SLOTS)
        self.jobs_in_flight = self._gauge(Metric.JOBS_IN_FLIGHT)
        self.parked_jobs = self._gauge(Metric.PARKED_JOBS)
        self.parked_due_jobs = self._gauge(Metric.PARKED_DUE_JOBS)
        self.parked_late_seconds = self._gauge(Metric.PARKED_LATE_SECONDS)
        self.rebalances = self._counter(Metric.REBALANCES)
        self.restore_remaining = self._gauge(Metric.RESTORE_REMAINING)
        self.settle_seconds = self._histogram(Metric.SETTLE_SECONDS)
        self.commit_offset_age = self._gauge(Metric.COMMIT_OFFSET_AGE)
        self.telemetry_errors = self._counter(Metric.TELEMETRY_ERRORS)
        self.build_info = self._gauge(Metric.BUILD_INFO)
        ProcessCollector(registry=self.registry)
        self.job_slots.set(slots)
        self.settle_seconds.labels()
        self.build_info.labels(importlib.metadata.version("headrace"), release).set(1)
        for reason in Reason:
            self.dead_letters.labels("", reason)

    def show_task(self, task: str) -> None:
        """Start every series of a task at 0: the first event of a series is lost on a rate."""
        self.jobs_started.labels(task)
        self.jobs_abandoned.labels(task)
        self.jobs_running.labels(task)
        self.job_wait.labels(task)
        self.job_end_to_end.labels(task)
        for _, outcome in SEEN_AS.values():
            self.jobs_finished.labels(task, outcome)
        for outcome in ("completed", "retried", "dead_lettered"):
            self.job_duration.labels(task, outcome)
        for reason in Reason:
            self.dead_letters.labels(task, reason)

    def show_sources(self, sources: Iterable[str]) -> None:
        """Start the series of the input topics at 0; those of partitions start with their first standing."""
        for source in sources:
            self.events_unsubscribed.labels(source)
            self.events_undecodable.labels(source, Reason.UNDECODABLE)

    def _counter(self, metric: Metric) -> Counter:
        spec = metric.value
        return Counter(spec.name, spec.help, spec.labels, registry=self.registry)

    def _gauge(self, metric: Metric) -> Gauge:
        spec = metric.value
        return Gauge(spec.name, spec.help, spec.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> BatchHistogram:
        return BatchHistogram(metric.value, registry=self.registry)
