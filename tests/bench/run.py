"""A whole run: broker and Redis up, topics filled, rounds in turn, everything down again."""

import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from events.broker import LocalBroker
from events.broker.ports import free_port
from tests.bench.contest import Contender, Row
from tests.bench.process import WorkerFailed
from tests.bench.redis_server import RedisMissing, RedisServer
from tests.bench.results import Results
from tests.bench.rounds import INPUT, Rounds, RunDoesNotAddUp, Sizes


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What to run."""

    rounds: int
    sizes: Sizes
    rows: Sequence[Row]
    contenders: Sequence[Contender]


def run(programme: Programme, console: Console) -> Results:
    """Contenders take turns inside every round, and each round begins with another one."""
    results = Results()
    contenders = [one for one in programme.contenders if _installed(one, results)]
    with _servers(contenders, results) as (bootstrap_servers, redis):
        rounds = Rounds(bootstrap_servers=bootstrap_servers, redis=redis, sizes=programme.sizes)
        contenders = [one for one in contenders if redis or one.feed != "redis"]
        _preload(rounds, programme, contenders, console)
        for number in range(1, programme.rounds + 1):
            for row in programme.rows:
                for contender in rotated(contenders, number - 1):
                    if row in contender.rows:
                        _measure(rounds, contender, row, number, results=results, console=console)
    return results


def rotated(contenders: Sequence[Contender], by: int) -> list[Contender]:
    """The same in turn, begun `by` places later: nobody always runs after the same neighbour."""
    start = by % len(contenders) if contenders else 0
    return [*contenders[start:], *contenders[:start]]


def _installed(contender: Contender, results: Results) -> bool:
    if contender.feed == "kafka" or importlib.util.find_spec(contender.name):
        return True
    results.problems.append((contender.name, "not installed; `pip install headrace[bench]` brings it"))
    return False


@contextmanager
def _servers(contenders: Sequence[Contender], results: Results) -> Iterator[tuple[str, RedisServer | None]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headrace-bench-")))
        redis: RedisServer | None = None
        if any(one.feed == "redis" for one in contenders):
            try:
                redis = stack.enter_context(RedisServer(port=free_port(), folder=folder))
            except RedisMissing as missing:
                results.problems.append(("arq, celery", str(missing)))
        broker = LocalBroker(data_dir=folder / "kafka")
        stack.callback(broker.erase)
        broker.start()
        yield broker.bootstrap_servers, redis


def _preload(rounds: Rounds, programme: Programme, contenders: Sequence[Contender], console: Console) -> None:
    readers = [one for one in contenders if one.feed == "kafka"]
    for row in programme.rows:
        if row in INPUT and readers:
            seconds = rounds.preload(row, readers[0])
            events = programme.sizes.jobs(readers[0], row)
            console.print(f"{events:,} CloudEvents preloaded into {INPUT[row]} in {seconds:.1f} s")


def _measure(
    rounds: Rounds, contender: Contender, row: Row, number: int, *, results: Results, console: Console
) -> None:
    started = time.monotonic()
    try:
        measurement = rounds.measure(contender, row, number)
    except (WorkerFailed, RunDoesNotAddUp) as problem:
        results.problems.append((contender.name, str(problem)))
        console.print(f"round {number}  {row.value:<22} {contender.name:<9} failed: {problem}", markup=False)
        return
    results.add(row, contender.name, measurement)
    figures = "  ".join(f"{name} {value:,.2f}" for name, value in measurement.figures.items())
    console.print(
        f"round {number}  {row.value:<22} {contender.name:<9} {figures}  "
        f"[dim]({time.monotonic() - started:.0f} s)[/dim]"
    )
