"""Every metric of the worker: name, kind, help, labels, buckets. A metric that is not here does not exist.

Base units only; `_total` on counters alone; no label ever holds a job id, a key or the text of an error.
"""

import enum
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "headrace_"
LABELS: Final = frozenset({"task", "source", "partition", "outcome", "reason", "lane", "type", "kind"})
PARKED_KINDS: Final = ("retry", "delay", "schedule", "order")

JOB_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
)  # fmt: skip
SETTLE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Kind(enum.StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric. `buckets` are upper bounds in seconds, for histograms only."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, help: str, *labels: str) -> Spec:
    return Spec(PREFIX + name, Kind.COUNTER, help, labels)


def _gauge(name: str, help: str, *labels: str) -> Spec:
    return Spec(PREFIX + name, Kind.GAUGE, help, labels)


def _histogram(name: str, help: str, *labels: str, buckets: tuple[float, ...] = JOB_BUCKETS) -> Spec:
    return Spec(PREFIX + name, Kind.HISTOGRAM, help, labels, buckets)


class Metric(enum.Enum):
    """The closed catalogue."""

    EVENTS_RECEIVED = _counter(
        "events_received_total", "Events decoded that a task subscribed to.", "source", "type"
    )
    EVENTS_UNSUBSCRIBED = _counter("events_unsubscribed_total", "Events no task subscribed to.", "source")
    EVENTS_UNDECODABLE = _counter(
        "events_undecodable_total", "Records that could not be read as an event.", "source", "reason"
    )
    JOBS_STARTED = _counter("jobs_started_total", "Attempts started.", "task")
    JOBS_FINISHED = _counter("jobs_finished_total", "Jobs settled, by what they came to.", "task", "outcome")
    JOBS_ABANDONED = _counter(
        "jobs_abandoned_total", "Attempts given up unsettled: partition lost, drain, shutdown.", "task"
    )
    DEAD_LETTERS = _counter(
        "dead_letters_total", "Dead letters written; no task for unreadable records.", "task", "reason"
    )
    JOB_WAIT = _histogram("job_wait_seconds", "Published, or due, until started.", "task")
    JOB_DURATION = _histogram("job_duration_seconds", "One attempt.", "task", "outcome")
    JOB_END_TO_END = _histogram("job_end_to_end_seconds", "First published until settled for good.", "task")
    JOBS_RUNNING = _gauge("jobs_running", "Attempts running now.", "task")
    JOB_SLOTS = _gauge("job_slots", "Attempts this worker may run at once.")
    JOBS_IN_FLIGHT = _gauge("jobs_in_flight", "Jobs admitted and not settled.", "source", "partition")
    PARKED_JOBS = _gauge("parked_jobs", "Jobs waiting in the retry table of this worker.", "source", "kind")
    PARKED_DUE_JOBS = _gauge("parked_due_jobs", "Parked jobs whose time has come.", "source")
    PARKED_LATE_SECONDS = _gauge("parked_late_seconds", "How late the most overdue parked job is.", "source")
    REBALANCES = _counter("rebalances_total", "Times the group handed out partitions anew.")
    RESTORE_REMAINING = _gauge("restore_remaining_records", "State records to read back before work starts.")
    SETTLE_SECONDS = _histogram("settle_seconds", "One group commit, both phases.", buckets=SETTLE_BUCKETS)
    COMMIT_OFFSET_AGE = _gauge("commit_offset_age_seconds", "Since the last acknowledged offset commit.")
    TELEMETRY_ERRORS = _counter("telemetry_errors_total", "Failures inside telemetry itself; jobs went on.")
    BUILD_INFO = _gauge("build_info", "Always 1; the labels say what runs here.", "version", "release")


def table() -> str:
    """The catalogue as a Markdown table."""
    rows = ["| metric | type | means |", "|---|---|---|"]
    for metric in Metric:
        spec = metric.value
        labels = "{" + ",".join(spec.labels) + "}" if spec.labels else ""
        rows.append(f"| `{spec.name}{labels}` | {spec.kind} | {spec.help} |")
    return "\n".join(rows)
