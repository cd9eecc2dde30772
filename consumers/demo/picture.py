"""What there is to see at one moment, from the metrics, the publisher and the broker. Pure data."""

import datetime as dt
from dataclasses import dataclass

from consumers.demo.dataset import NEW_YORK
from consumers.demo.readings import QUANTILES, Buckets, Reading, quantile_seconds
from consumers.outcomes import SEEN_AS, RetryLater
from consumers.telemetry.catalogue import Metric

FINAL_OUTCOMES = tuple(seen.label for kind, seen in SEEN_AS.items() if kind is not RetryLater)


@dataclass(frozen=True, slots=True)
class Row:
    """One task."""

    task: str
    running: int
    done: int
    retried: int
    dead: int
    wait: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything the screen shows. Counts are of all workers together."""

    clock: dt.datetime
    played: float
    published: int
    reading: Reading
    lag_records: int

    @property
    def clock_text(self) -> str:
        """The time in New York that is being played."""
        return f"{self.clock.astimezone(NEW_YORK):%-d %B %Y, %H:%M} in New York"

    @property
    def events(self) -> int:
        """Events the workers took in."""
        taken = (Metric.EVENTS_RECEIVED, Metric.EVENTS_UNSUBSCRIBED, Metric.EVENTS_UNDECODABLE)
        jobs = self.reading.total(Metric.EVENTS_RECEIVED, type="headrace.job.requested.v1")
        return sum(self.reading.total(metric) for metric in taken) - jobs

    @property
    def done(self) -> int:
        """Jobs that are settled for good."""
        outcomes = self.reading.by(Metric.JOBS_FINISHED, "outcome")
        return sum(outcomes.get(outcome, 0) for outcome in FINAL_OUTCOMES)

    @property
    def retrying(self) -> int:
        return self.reading.total(Metric.PARKED_JOBS, kind="retry")

    @property
    def parked(self) -> int:
        return self.reading.total(Metric.PARKED_JOBS) - self.retrying

    @property
    def dead(self) -> int:
        return self.reading.total(Metric.DEAD_LETTERS)

    @property
    def running(self) -> int:
        return self.reading.total(Metric.JOBS_RUNNING)

    @property
    def wait(self) -> str:
        """p50, p95 and p99 of published (or due) until started."""
        return quantiles_text(self.reading.buckets(Metric.JOB_WAIT))

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to do but what was put off on purpose."""
        in_flight = self.reading.total(Metric.JOBS_IN_FLIGHT)
        return self.played >= 1 and not (self.lag_records or in_flight or self.retrying or self.running)

    def rows(self) -> list[Row]:
        """The tasks that did something, by name."""
        started = self.reading.by(Metric.JOBS_STARTED, "task")
        return [self._row(task) for task, count in sorted(started.items()) if count and task]

    def _row(self, task: str) -> Row:
        outcomes = self.reading.by(Metric.JOBS_FINISHED, "outcome", task=task)
        return Row(
            task=task,
            running=self.reading.total(Metric.JOBS_RUNNING, task=task),
            done=sum(outcomes.get(outcome, 0) for outcome in FINAL_OUTCOMES),
            retried=outcomes.get("retried", 0),
            dead=outcomes.get("dead_lettered", 0),
            wait=quantiles_text(self.reading.buckets(Metric.JOB_WAIT, task=task)),
        )


def quantiles_text(buckets: Buckets) -> str:
    """The three quantiles, such as `8 ms / 40 ms / 1.2 s`."""
    return " / ".join(_duration(quantile_seconds(buckets, share)) for share in QUANTILES)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
