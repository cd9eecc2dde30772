"""The run as a person reads it: one table a row of the contest, then the gates."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tests.bench.contest import CONTENDERS, Row
from tests.bench.figures import Gate, ratio
from tests.bench.results import Results, figures_of

TITLES = {
    Row.EMPTY: "Empty jobs per second, one worker process",
    Row.IO: "Jobs of 100 ms I/O per second, one worker process",
    Row.LATENCY: "Publish to handler at 100 messages a second, ms",
}
SETTINGS = {contender.name: contender.settings for contender in CONTENDERS}


def report(results: Results) -> RenderableType:
    """Everything there is to print."""
    parts: list[RenderableType] = [
        row_table(results, row, figure)
        for row in Row
        if results.measurements.get(row)
        for figure in figures_of(row)
    ]
    parts += [Text(f"{name}: {how}", style="dim") for name, how in SETTINGS.items() if results.has(name)]
    parts += [gate_line(gate) for gate in results.gates()]
    parts += [Text(f"✗ {name}: {what}", style="red") for name, what in results.problems]
    return Group(*parts)


def row_table(results: Results, row: Row, figure: str) -> Table:
    """Contenders by median, best first; the ratio is Headrace's figure over theirs."""
    table = Table(title=TITLES[row] + (f", {figure}" if row is Row.LATENCY else ""), title_justify="left")
    for heading in ("contender", "median", "lowest … highest", "headrace ÷ it", "CPU µs/job", "peak MB"):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    spreads = results.spreads(row, figure)
    ours = spreads["headrace"].median if "headrace" in spreads else None
    document = results.document()
    best_first = sorted(spreads, key=lambda name: spreads[name].median, reverse=row is not Row.LATENCY)
    for name in best_first:
        found = spreads[name]
        table.add_row(
            name,
            number(found.median, row),
            f"{number(found.lowest, row)} … {number(found.highest, row)}",
            times(ratio(ours, found.median)),
            f"{document['cpu_microseconds_per_job'][row.value][name]:,.0f}",
            f"{document['peak_megabytes'][row.value][name]:,.0f}",
        )
    return table


def number(value: float, row: Row) -> str:
    """Rates are whole, milliseconds have two places."""
    return f"{value:,.2f}" if row is Row.LATENCY else f"{value:,.0f}"


def times(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f} ×"


def gate_line(gate: Gate) -> Text:
    """One promise: kept, broken, or not measured."""
    wanted = f"{'≤' if gate.at_most else '≥'} {gate.wanted:g}"
    if gate.reached is None:
        return Text(f"? {gate.sentence}: not measured (wanted {wanted})", style="yellow")
    sign, style = ("✓", "green") if gate.reached else ("✗ GATE MISSED", "bold red")
    return Text(f"{sign} {gate.sentence} = {gate.value:,.2f} (wanted {wanted})", style=style)
