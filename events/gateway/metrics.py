"""Every metric of the gateway; names as in the worker's catalogue: base units, `_total` on counters alone."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class GatewayMetrics:
    """No label ever holds an id, a path as it was asked for, or the text of an error."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "headrace_gateway_requests_total",
            "Requests answered; 0 for those whose caller left first.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "headrace_gateway_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "headrace_gateway_requests_in_flight", "Requests being answered.", registry=self.registry
        )
        self.jobs = Counter(
            "headrace_gateway_jobs_total",
            "Jobs asked for, by task and what became of the request.",
            ["task", "outcome"],
            registry=self.registry,
        )
        self.events = Counter(
            "headrace_gateway_events_total", "Events taken.", ["topic"], registry=self.registry
        )
        self.commands = Counter(
            "headrace_gateway_commands_total",
            "Commands sent, by their answer.",
            ["command", "answer"],
            registry=self.registry,
        )
        self.status_lag = Gauge(
            "headrace_gateway_status_lag_seconds",
            "How far the read model is behind Kafka; NaN before it caught up for the first time.",
            registry=self.registry,
        )
        self.keys = Gauge(
            "headrace_gateway_idempotency_keys", "Idempotency-Keys remembered.", registry=self.registry
        )

        # Finding a series by its labels each time costs as much as all the rest.
        self._told: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._jobs: dict[tuple[str, str], Counter] = {}

    def job(self, task: str, outcome: str, count: int = 1) -> None:
        """So many jobs asked for, of a task that is announced, and what became of them."""
        told = self._jobs.get((task, outcome))
        if told is None:
            told = self._jobs[task, outcome] = self.jobs.labels(task, outcome)
        told.inc(count)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request."""
        method = method if method in _METHODS else "other"
        told = self._told.get((method, route, status))
        if told is None:
            told = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            self._told[method, route, status] = told
        told[0].inc()
        told[1].observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)
