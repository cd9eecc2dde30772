"""`python -m tests.bench.http_rows`: the second half of `make bench`, the gateway and its read model.

Adds what it found to the JSON file of the first half.
"""

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from events.broker import LocalBroker
from tests.bench import gateway_row, status_row
from tests.bench.gateway_row import Side
from tests.bench.redis_server import RedisServer
from tests.bench.status_row import Status
from tests.servers import free_port

BULK_GATE = 10.0
READ_GATE = 20_000
ANSWER_GATE_MS = 50.0

Gate = tuple[str, float, str, bool]


def gates(sides: dict[str, Side], status: Status) -> list[Gate]:
    """What was promised: its name, what was measured, what was wanted, whether that holds."""
    single = sides["gateway"].jobs_per_second / sides["arq"].jobs_per_second
    bulk = sides["bulk"].jobs_per_second / sides["arq"].jobs_per_second
    slowest = max(status.fresh_p99_ms, status.settled_p99_ms)
    read = status.backlog_records_per_second
    return [
        ("POST /jobs ÷ FastAPI with ARQ", single, "≥ 1", single >= 1),
        ("bulk ÷ FastAPI with ARQ", bulk, f"≥ {BULK_GATE:g}", bulk >= BULK_GATE),
        ("read model, records/s", read, f"≥ {READ_GATE:,}", read >= READ_GATE),
        ("GET /jobs/{id} while reading, p99 ms", slowest, f"≤ {ANSWER_GATE_MS:g}", slowest <= ANSWER_GATE_MS),
    ]


@click.command(help="The gateway beside FastAPI with ARQ, and its read model. Adds to the JSON file.")
@click.option("--output", default=Path("build/bench.json"), type=click.Path(path_type=Path))
@click.option("--gate", is_flag=True, help="Exit 1 when a gate is missed.")
def main(output: Path, gate: bool) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = LocalBroker(data_dir=folder / "broker").start()
        stack.callback(broker.erase)
        redis_port = free_port()
        stack.enter_context(RedisServer(port=redis_port, folder=folder))
        sides = gateway_row.measure(broker.bootstrap_servers, redis_port, folder)
        status = status_row.measure(broker.bootstrap_servers, folder)
    found = gates(sides, status)
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("server", "jobs/s", "jobs/s of processor", "p50 ms", "p99 ms", title="Jobs over HTTP")
    for name, side in sides.items():
        figures = (side.jobs_per_second, side.jobs_per_cpu_second, side.p50_ms, side.p99_ms)
        table.add_row(name, *(f"{figure:,.1f}" for figure in figures))
    console.print(table)
    console.print("Read model:", asdict(status))
    for name, value, wanted, holds in found:
        console.print(f"{'✓' if holds else '✗ GATE MISSED'} {name} = {value:,.1f} (wanted {wanted})")
    document = orjson.loads(output.read_bytes()) if output.exists() else {}
    document["http"] = {name: asdict(side) for name, side in sides.items()}
    document["read_model"] = asdict(status)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    sys.exit(int(gate and not all(holds for _, _, _, holds in found)))


if __name__ == "__main__":
    main()
