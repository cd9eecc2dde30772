"""Arithmetic of the bench: rates, medians, percentiles, ratios and gates. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.contest import Row


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median of several rounds, and how far they were apart."""

    median: float
    lowest: float
    highest: float


def spread(values: Sequence[float]) -> Spread:
    """Raises `statistics.StatisticsError` without values."""
    return Spread(median=statistics.median(values), lowest=min(values), highest=max(values))


def jobs_per_second(tally: Sequence[tuple[int, int]], *, settled_ns: int = 0) -> float:
    """From the first finished job to the last, or to `settled_ns` where that is later.

    Raises ValueError when fewer than two moments were noted.
    """
    if len(tally) < 2:
        raise ValueError(f"a rate needs two moments, the tally holds {len(tally)}")
    (first_count, first_ns), (last_count, last_ns) = tally[0], tally[-1]
    return (last_count - first_count) * 1e9 / (max(last_ns, settled_ns) - first_ns)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """How many times theirs ours is; None where one is missing."""
    if ours is None or not theirs:
        return None
    return ours / theirs


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One promise about Headrace against a peer. `reached` is None when a figure is missing."""

    sentence: str
    value: float | None
    wanted: float
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        if self.value is None:
            return None
        return self.value <= self.wanted if self.at_most else self.value >= self.wanted


def gates(medians: Mapping[Row, Mapping[str, float]]) -> tuple[Gate, ...]:
    """The promises, judged. Latencies are p50."""
    empty, waiting, p50 = (medians.get(row, {}) for row in Row)
    return (
        _times("empty jobs/s", empty, "arq", 10),
        _times("empty jobs/s", empty, "faust", 2),
        _times("I/O jobs/s", waiting, "arq", 7),
        Gate(
            sentence="latency p50 ÷ celery's",
            value=ratio(p50.get("headrace"), p50.get("celery")),
            wanted=1,
            at_most=True,
        ),
    )


def _times(what: str, figures: Mapping[str, float], peer: str, wanted: float) -> Gate:
    return Gate(
        sentence=f"{what} ÷ {peer}'s", value=ratio(figures.get("headrace"), figures.get(peer)), wanted=wanted
    )
