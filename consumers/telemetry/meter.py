"""The numbers of one task between two flushes: plain ints and lists, because they change with every job."""

from collections import deque
from typing import TYPE_CHECKING

from consumers.telemetry.budget import LineBudget
from consumers.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from consumers.engine.job import Job

RECENT = 1_000


class TaskMeter:
    """Counts one task's attempts and hands the sums to the metrics on `flush`."""

    __slots__ = (
        "_duration", "_end_to_end", "_finished", "_metrics", "_running", "_started", "_wait",
        "budgets", "completed", "completed_budget", "durations", "enqueued_ms", "finished", "last_completed",
        "last_started", "recent", "running", "slowest", "started", "started_budget", "task", "touched",
        "waits_ms",
    )  # fmt: skip

    def __init__(self, task: str, metrics: Metrics) -> None:
        metrics.show_task(task)
        self.task = task
        self.touched = False
        self.started = 0
        self.running = 0
        self.waits_ms: list[int] = []
        self.completed: list[float] = []  # durations
        self.durations: dict[str, list[float]] = {}  # of attempts that did not complete, by outcome
        self.enqueued_ms: list[int] = []  # of jobs settled for good
        self.finished: dict[str, int] = {}
        self.last_started: Job | None = None
        self.last_completed: Job | None = None
        self.started_budget = LineBudget()
        self.completed_budget = LineBudget()
        self.budgets: dict[str, LineBudget] = {}  # of the other outcomes
        self.recent: deque[float] = deque(maxlen=RECENT)  # durations of completed attempts
        self.slowest = 0.0
        self._metrics = metrics
        self._started = metrics.jobs_started.labels(task)
        self._running = metrics.jobs_running.labels(task)
        self._finished = metrics.jobs_finished.labels(task, "completed")
        self._wait = metrics.job_wait.labels(task)
        self._duration = metrics.job_duration.labels(task, "completed")
        self._end_to_end = metrics.job_end_to_end.labels(task)

    def flush(self, now_ms: int) -> None:
        """Hand everything counted since the last flush to the metrics."""
        if not self.touched:
            return
        self.touched = False
        if self.started:
            self._flush_started()
        if self.completed:
            self._flush_completed()
        if self.finished:
            self._flush_others()
        if self.enqueued_ms:
            self._end_to_end.observe([(now_ms - enqueued) * 0.001 for enqueued in self.enqueued_ms])
            self.enqueued_ms = []
        self._running.set(self.running)

    def _flush_started(self) -> None:
        self._started.inc(self.started)
        self.started = 0
        self._wait.observe([wait * 0.001 for wait in self.waits_ms])
        self.waits_ms = []
        job, self.last_started = self.last_started, None
        if job is not None and job.event.extensions and (trace_id := job.event.trace_id):
            self._wait.exemplify((job.started_ms - job.ready_ms) / 1000, trace_id)

    def _flush_completed(self) -> None:
        durations, self.completed = self.completed, []
        latest = durations[-1]
        self._finished.inc(len(durations))
        self.recent.extend(durations)
        self._duration.observe(durations)
        self.slowest = max(self.slowest, durations[-1])
        job, self.last_completed = self.last_completed, None
        if job is not None and job.event.extensions and (trace_id := job.event.trace_id):
            self._duration.exemplify(latest, trace_id)

    def _flush_others(self) -> None:
        for outcome, count in self.finished.items():
            self._metrics.jobs_finished.labels(self.task, outcome).inc(count)
        for outcome, durations in self.durations.items():
            self._metrics.job_duration.labels(self.task, outcome).observe(durations)
        self.finished = {}
        self.durations = {}


class Meters(dict[str, TaskMeter]):
    """Meters by task name; an unknown name (a task of another release) gets its own on first use."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def __missing__(self, task: str) -> TaskMeter:
        meter = self[task] = TaskMeter(task, self._metrics)
        return meter
