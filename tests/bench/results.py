"""All measurements of one run, and the JSON document they make."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.contest import Row
from tests.bench.figures import Gate, Spread, gates, spread
from tests.bench.rounds import Measurement


@dataclass(kw_only=True)
class Results:
    """Filled round by round. `problems` are runs that failed, by contender."""

    measurements: dict[Row, dict[str, list[Measurement]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    problems: list[tuple[str, str]] = field(default_factory=list)

    def add(self, row: Row, contender: str, measurement: Measurement) -> None:
        self.measurements[row][contender].append(measurement)

    def has(self, contender: str) -> bool:
        """Whether the contender was measured at all."""
        return any(contender in by_name for by_name in self.measurements.values())

    def spreads(self, row: Row, figure: str) -> dict[str, Spread]:
        """Median, lowest and highest of one figure, by contender."""
        return {
            name: spread([measurement.figures[figure] for measurement in rounds])
            for name, rounds in self.measurements.get(row, {}).items()
        }

    def gates(self) -> tuple[Gate, ...]:
        """The promises, judged on the medians; latency by its p50."""
        return gates(
            {
                row: {name: found.median for name, found in self.spreads(row, figures_of(row)[0]).items()}
                for row in Row
            }
        )

    def document(self) -> dict[str, Any]:
        """What build/bench.json says about the figures. Rows that were not measured are left out."""
        rows = [row for row in Row if self.measurements.get(row)]
        return {
            **{row.value: self._medians(row) for row in rows},
            "spread": {row.value: self._by_figure(row) for row in rows},
            "peak_megabytes": {row.value: self._medians_of(row, "peak_megabytes") for row in rows},
            "cpu_microseconds_per_job": {
                row.value: self._medians_of(row, "cpu_microseconds_per_job") for row in rows
            },
            "gates": [asdict(gate) | {"reached": gate.reached} for gate in self.gates()],
            "problems": [{"contender": name, "what": what} for name, what in self.problems],
        }

    def _medians(self, row: Row) -> dict[str, Any]:
        by_figure = {figure: self.spreads(row, figure) for figure in figures_of(row)}
        if row is not Row.LATENCY:
            return {name: round(found.median) for name, found in by_figure["value"].items()}
        names = by_figure["p50"]
        return {
            name: {figure: round(by_figure[figure][name].median, 2) for figure in by_figure} for name in names
        }

    def _by_figure(self, row: Row) -> dict[str, Any]:
        return {
            figure: {name: asdict(found) for name, found in self.spreads(row, figure).items()}
            for figure in figures_of(row)
        }

    def _medians_of(self, row: Row, name: str) -> dict[str, float]:
        return {
            contender: round(spread([getattr(one, name) for one in rounds]).median, 1)
            for contender, rounds in self.measurements[row].items()
        }


def figures_of(row: Row) -> Sequence[str]:
    """The names of what a row measures."""
    return ("p50", "p99") if row is Row.LATENCY else ("value",)
