"""What the workers' metrics say, summed over the workers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from consumers.telemetry.catalogue import Metric

Labels = Mapping[str, str]
Buckets = Mapping[float, float]
"""Upper bound in seconds → how many values were at most that."""

QUANTILES: Final = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Reading:
    """Samples by name; those of several workers stand side by side and are summed when asked for."""

    samples: Mapping[str, Sequence[tuple[Labels, float]]] = field(default_factory=dict)

    def total(self, metric: Metric, **labels: str) -> int:
        """The sum over all series that have these labels."""
        found = self.samples.get(metric.value.name, ())
        return round(sum(value for series, value in found if labels.items() <= series.items()))

    def by(self, metric: Metric, label: str, **labels: str) -> dict[str, int]:
        """The sums by the values of one label."""
        sums: dict[str, float] = defaultdict(float)
        for series, value in self.samples.get(metric.value.name, ()):
            if labels.items() <= series.items():
                sums[series.get(label, "")] += value
        return {value: round(sum_) for value, sum_ in sums.items()}

    def buckets(self, metric: Metric, **labels: str) -> Buckets:
        """The cumulative buckets of a histogram."""
        sums: dict[float, float] = defaultdict(float)
        for series, value in self.samples.get(f"{metric.value.name}_bucket", ()):
            if labels.items() <= series.items():
                sums[float(series["le"])] += value
        return dict(sorted(sums.items()))


def reading_of(texts: Iterable[str]) -> Reading:
    """The reading of what each worker's /metrics answered."""
    samples: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name].append((sample.labels, sample.value))
    return Reading(samples)


def quantile_seconds(buckets: Buckets, share: float) -> float | None:
    """The value below which this share of all lies, taken as spread evenly in its bucket; None without
    values. Beyond the last bound it is that bound."""
    bounds = [(0.0, 0.0), *buckets.items()]
    wanted = share * bounds[-1][1]
    if not wanted:
        return None
    for (lower, below), (upper, up_to) in pairwise(bounds):
        if up_to >= wanted:
            if upper == float("inf"):
                return lower
            return lower + (upper - lower) * (wanted - below) / (up_to - below)
    return None
