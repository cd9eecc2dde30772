"""`python -m tests.bench`: the command line of `make bench`."""

import logging
import signal
import sys
from pathlib import Path

import click
import orjson
from rich.console import Console

from tests.bench.contest import CONTENDERS, Row
from tests.bench.machine import disturbance, machine, versions
from tests.bench.report import report
from tests.bench.results import Results
from tests.bench.rounds import Sizes
from tests.bench.run import Programme, run

METHOD = (
    "One worker process each. Rates count from the first finished job to the last, noted by the worker "
    "in the same way for all; Headrace's clock runs on to its last ledger record, and its state topics are "
    "counted."
)


@click.command(help="Headrace and its peers side by side, in one run. Writes a table and a JSON file.")
@click.option(
    "--rounds", envvar="ROUNDS", default=5, show_default=True, help="Medians are over these. [ROUNDS]"
)
@click.option("--events", envvar="EVENTS", default=300_000, show_default=True, help="CloudEvents. [EVENTS]")
@click.option(
    "--row", "rows", multiple=True, type=click.Choice([row.value for row in Row]), help="Only these rows."
)
@click.option(
    "--only", multiple=True, type=click.Choice([one.name for one in CONTENDERS]), help="Only these."
)
@click.option("--gate", is_flag=True, help="Exit 1 when a gate is missed or not measured.")
@click.option(
    "--output", default=Path("build/bench.json"), type=click.Path(path_type=Path), show_default=True
)
def main(
    rounds: int, events: int, rows: tuple[str, ...], only: tuple[str, ...], gate: bool, output: Path
) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that broker, Redis and worker are stopped
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what counts is raised
    console = Console(width=None if sys.stdout.isatty() else 160)
    here = machine()
    warning = disturbance(here)
    facts = {"machine": here, "versions": versions(), "rounds": rounds, "events": events, "method": METHOD}
    programme = Programme(
        rounds=rounds,
        sizes=Sizes(events=events),
        rows=[row for row in Row if not rows or row.value in rows],
        contenders=[one for one in CONTENDERS if not only or one.name in only],
    )
    results = run(programme, console)
    console.print(report(results))
    if warning:
        console.print(warning, style="bold yellow")
    settings = {one.name: one.settings for one in programme.contenders}
    _write(output, results.document() | facts | {"settings": settings})
    console.print(f"{METHOD}\nWritten to {output}", style="dim")
    sys.exit(exit_code(results, gate=gate))


def exit_code(results: Results, *, gate: bool) -> int:
    """1 when Headrace itself failed a run; with `gate` also when a promise is not proven."""
    if any(name == "headrace" for name, _ in results.problems):
        return 1
    return int(gate and not all(one.reached for one in results.gates()))


def _write(output: Path, document: dict[str, object]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
