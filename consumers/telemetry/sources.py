"""What comes in per topic, and how the owned partitions stand: collected plain, shown on flush."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from consumers.telemetry.catalogue import PARKED_KINDS
from consumers.telemetry.metrics import Metrics

MAX_TYPES: Final = 200
OTHER: Final = "other"


class Standing(NamedTuple):
    in_flight: int
    parked: Mapping[str, int]
    due: int
    late_seconds: float


class SourceMeter:
    """Counts events by (topic, type) and sums the standing of partitions by topic."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._received: dict[tuple[str, str], int] = {}
        self._types: set[tuple[str, str]] = set()
        self._standing: dict[str, dict[int, Standing]] = {}
        self._touched: set[str] = set()

    def received(self, source: str, type: str, count: int) -> None:
        """Types beyond the first 200 are counted as `other`: publishers choose them, memory is ours."""
        seen = source, type
        if seen not in self._types:
            if len(self._types) >= MAX_TYPES:
                seen = source, OTHER
            self._types.add(seen)
        self._received[seen] = self._received.get(seen, 0) + count

    def stands(self, source: str, partition: int, standing: Standing) -> None:
        self._standing.setdefault(source, {})[partition] = standing
        self._touched.add(source)

    def forget(self, source: str, partition: int) -> None:
        if self._standing.get(source, {}).pop(partition, None) is not None:
            self._touched.add(source)
            self._metrics.jobs_in_flight.remove(source, str(partition))

    def flush(self) -> None:
        for (source, type), count in self._received.items():
            self._metrics.events_received.labels(source, type).inc(count)
        self._received.clear()
        for source in self._touched:
            self._show(source, self._standing[source])
        self._touched.clear()

    def _show(self, source: str, partitions: Mapping[int, Standing]) -> None:
        metrics = self._metrics
        for partition, standing in partitions.items():
            metrics.jobs_in_flight.labels(source, str(partition)).set(standing.in_flight)
        everyone = partitions.values()
        kinds = set(PARKED_KINDS).union(*(standing.parked for standing in everyone))
        for kind in kinds:
            metrics.parked_jobs.labels(source, kind).set(sum(one.parked.get(kind, 0) for one in everyone))
        metrics.parked_due_jobs.labels(source).set(sum(one.due for one in everyone))
        late_seconds = max((one.late_seconds for one in everyone), default=0.0)
        metrics.parked_late_seconds.labels(source).set(late_seconds)
