"""The one place the engine tells what happens; log lines and metrics are made of it here.

Called for every job, so a call only counts and appends; `flush` makes metrics of it, per settle group and at
least once a second. A busy task gets a summary line a second in place of its success lines. Whatever fails
in here is counted and said, and never reaches the engine.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec

import structlog

from consumers.outcomes import SEEN_AS, Completed, DeadLettered, Outcome, RetryLater, Skipped
from consumers.telemetry.budget import LineBudget
from consumers.telemetry.fields import Line, identity, outcome_lines, started_line
from consumers.telemetry.meter import Meters, TaskMeter
from consumers.telemetry.metrics import Metrics
from consumers.telemetry.sources import SourceMeter, Standing
from consumers.telemetry.summary import summary_lines
from events.times import now_ms

if TYPE_CHECKING:
    from consumers.engine.job import Job

P = ParamSpec("P")
UNKNOWN_TASK: Final = ""  # whoever asks for a task that is not there chose its name: no label of ours


def _harmless(
    method: "Callable[Concatenate[Telemetry, P], None]",
) -> "Callable[Concatenate[Telemetry, P], None]":
    """Count and say what goes wrong in a method instead of raising it: the job matters more."""

    @functools.wraps(method)
    def guarded(self: "Telemetry", /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.report(method.__name__, error)

    return guarded


class Telemetry:
    """Counts, times and logs what the engine does. Not thread-safe: call it from the worker's loop.

    The series of `tasks` and of `sources`, the input topics, start at 0; `slots` jobs may run at once.
    No method raises.
    """

    def __init__(
        self,
        *,
        tasks: Iterable[str] = (),
        sources: Iterable[str] = (),
        release: str = "0",
        slots: int = 0,
        now_ms: Callable[[], int] = now_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Metrics(release=release, slots=slots)
        self.registry = self.metrics.registry
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._log = structlog.get_logger("headrace")
        self._sources = SourceMeter(self.metrics)
        self._meters = Meters(self.metrics)
        self._errors_budget = LineBudget(1)
        self._rolled = monotonic()
        self._settle_seconds: list[float] = []
        self._committed: float | None = None
        for task in tasks:
            self._meters[task]
        self.metrics.show_sources(sources)

    @_harmless
    def events_received(self, source: str, type: str, count: int = 1) -> None:
        """`count` events of a type were decoded from a topic, and at least one task wants them."""
        self._sources.received(source, type, count)

    @_harmless
    def event_unsubscribed(self, source: str, count: int = 1) -> None:
        """No task wants them. Received, unsubscribed and undecodable make up what was read."""
        self.metrics.events_unsubscribed.labels(source).inc(count)

    @_harmless
    def undecodable(self, source: str, reason: str) -> None:
        """A record became a dead letter before any job: `reason` is a `schemas.deadletter.Reason` value."""
        self.metrics.events_undecodable.labels(source, reason).inc()
        self.metrics.dead_letters.labels("", reason).inc()

    # The two called for every job guard themselves: the wrapper would be a fifth of what they cost.

    def started(self, job: "Job") -> None:
        """An attempt begins; `job.started_ms` is set."""
        try:
            meter = self._meters[job.task_name if job.task is not None else UNKNOWN_TASK]
            meter.touched = True
            meter.started += 1
            meter.running += 1
            meter.waits_ms.append(job.started_ms - job.ready_ms)
            meter.last_started = job
            budget = meter.started_budget
            if budget.quiet:
                budget.held += 1
            elif budget.admit():
                self._write(job, started_line(job))
        except Exception as error:
            self.report("started", error)

    def settled(self, job: "Job", outcome: Outcome, duration_seconds: float | None = None) -> None:
        """The outcome of a job is durable. `duration_seconds` is None when no attempt ran for it."""
        try:
            meter = self._meters[job.task_name if job.task is not None else UNKNOWN_TASK]
            meter.touched = True
            if duration_seconds is None or type(outcome) is not Completed:
                self._settled_otherwise(meter, job, outcome, duration_seconds)
                return
            meter.running -= 1
            meter.completed.append(duration_seconds)
            meter.enqueued_ms.append(job.enqueued_ms)
            meter.last_completed = job
            budget = meter.completed_budget
            if budget.quiet:
                budget.held += 1
            elif budget.admit():
                self._write(job, *outcome_lines(job, outcome, duration_seconds, 0))
        except Exception as error:
            self.report("settled", error)

    @_harmless
    def abandoned(self, job: "Job") -> None:
        """A started attempt is given up without an outcome: its partition went, or the worker stops."""
        meter = self._meters[job.task_name if job.task is not None else UNKNOWN_TASK]
        meter.touched = True
        meter.running -= 1
        self.metrics.jobs_abandoned.labels(meter.task).inc()

    def _settled_otherwise(
        self, meter: TaskMeter, job: "Job", outcome: Outcome, duration_seconds: float | None
    ) -> None:
        label = SEEN_AS[type(outcome)].label
        meter.finished[label] = meter.finished.get(label, 0) + 1
        if duration_seconds is not None:
            meter.running -= 1
            meter.durations.setdefault(label, []).append(duration_seconds)
        if isinstance(outcome, DeadLettered):
            self.metrics.dead_letters.labels(meter.task, outcome.reason).inc()
        if not isinstance(outcome, RetryLater | Skipped):
            meter.enqueued_ms.append(job.enqueued_ms)
        if meter.budgets.setdefault(label, LineBudget()).admit():
            self._write(job, *outcome_lines(job, outcome, duration_seconds, self._now_ms()))

    @_harmless
    def partition(
        self,
        source: str,
        partition: int,
        *,
        in_flight: int,
        parked: Mapping[str, int],
        due: int,
        late_seconds: float,
    ) -> None:
        """How one owned partition stands. `parked` counts by kind (retry, delay, schedule, order)."""
        self._sources.stands(source, partition, Standing(in_flight, dict(parked), due, late_seconds))

    @_harmless
    def forget_partition(self, source: str, partition: int) -> None:
        """The partition belongs to another worker now: its series end."""
        self._sources.forget(source, partition)

    @_harmless
    def rebalanced(self) -> None:
        self.metrics.rebalances.inc()

    @_harmless
    def restore_remaining(self, records: int) -> None:
        self.metrics.restore_remaining.set(records)

    @_harmless
    def group_settled(self, seconds: float) -> None:
        """One group commit took so long, both phases and the store."""
        self._settle_seconds.append(seconds)

    @_harmless
    def committed(self) -> None:
        """Kafka acknowledged an offset commit just now."""
        self._committed = self._monotonic()

    @_harmless
    def flush(self) -> None:
        """Make everything told so far visible. Call it per settle group and at least once a second."""
        now_ms = self._now_ms()
        for meter in self._meters.values():
            meter.flush(now_ms)
        self._sources.flush()
        if self._settle_seconds:
            self.metrics.settle_seconds.labels().observe(self._settle_seconds)
            self._settle_seconds = []
        now = self._monotonic()
        if now - self._rolled >= 1.0:
            self._roll(now)

    def _roll(self, now: float) -> None:
        elapsed_seconds, self._rolled = now - self._rolled, now
        self._errors_budget.roll()
        if self._committed is not None:
            self.metrics.commit_offset_age.set(now - self._committed)
        for meter in self._meters.values():
            for level, event, fields in summary_lines(meter, elapsed_seconds):
                getattr(self._log, level)(event, task=meter.task, **fields)

    def _write(self, job: "Job", *lines: Line) -> None:
        fields = identity(job)
        for line in lines:
            getattr(self._log, line.level)(line.event, **fields, **line.fields)

    def report(self, where: str, error: Exception) -> None:
        """Say that telemetry itself failed: once a second at most."""
        self.metrics.telemetry_errors.inc()
        if self._errors_budget.admit():
            # Writing the line may be the very thing that fails: a full disk, a closed pipe.
            with contextlib.suppress(Exception):
                self._log.error("telemetry_failed", where=where, exc_info=error)
