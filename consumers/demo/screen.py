"""How it looks: a live table on a terminal, a line every few seconds anywhere else."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from consumers.demo.picture import Picture
from consumers.demo.summary import Sum

PLAIN_EVERY_SECONDS: Final = 2.0
_HAPPENINGS: Final = 6
_PLAIN_HAPPENINGS: Final = 3


class Screen(Protocol):
    """Shows what it is given. `say` is a step in words, `show` the present moment."""

    def say(self, text: str) -> None: ...
    def show(self, picture: Picture, happenings: Sequence[str]) -> None: ...


class PlainScreen:
    """Lines for files, pipes and CI."""

    def __init__(self, console: Console, *, every_seconds: float = PLAIN_EVERY_SECONDS) -> None:
        self._console = console
        self._began = time.monotonic()
        self._every_seconds = every_seconds
        self._shown = float("-inf")

    def say(self, text: str) -> None:
        self._line(text)

    def show(self, picture: Picture, happenings: Sequence[str]) -> None:
        for told in happenings[:_PLAIN_HAPPENINGS]:
            self._line(told)
        now = time.monotonic()
        if now - self._shown >= self._every_seconds:
            self._shown = now
            self._line(
                f"{picture.clock_text}: events {picture.events}, jobs done {picture.done}, "
                f"retrying {picture.retrying}, dead {picture.dead}, lag {picture.lag_records}, "
                f"wait p50/p95/p99 {picture.wait}"
            )

    def _line(self, text: str) -> None:
        elapsed = time.monotonic() - self._began
        self._console.print(f"{elapsed:5.0f} s  {text}", highlight=False, markup=False, soft_wrap=True)


class LiveScreen(PlainScreen):
    """A picture that changes in place, below the steps so far."""

    def __init__(self, console: Console, live: Live) -> None:
        super().__init__(console)
        self._live = live
        self._happenings: deque[str] = deque(maxlen=_HAPPENINGS)

    def show(self, picture: Picture, happenings: Sequence[str]) -> None:
        self._happenings.extend(happenings)
        self._live.update(drawing_of(picture, self._happenings))


@contextmanager
def screen_on(console: Console, *, plain: bool) -> Iterator[Screen]:
    """The screen that fits the console."""
    if plain or not console.is_terminal:
        yield PlainScreen(console)
        return
    with Live(console=console, refresh_per_second=4, vertical_overflow="ellipsis") as live:
        yield LiveScreen(console, live)


def drawing_of(picture: Picture, happenings: Iterable[str]) -> RenderableType:
    """The whole picture."""
    told = [Text(text, style=_style(text), no_wrap=True, overflow="ellipsis") for text in happenings]
    return Group(Text(), _headline(picture), _figures(picture), _tasks(picture), *told)


def _headline(picture: Picture) -> Text:
    width = 30
    done = round(picture.played * width)
    bar = "━" * done + "╌" * (width - done)
    return Text.assemble((picture.clock_text, "bold"), "   ", (bar, "cyan"), f" {picture.played:.0%} played")


def _figures(picture: Picture) -> Table:
    figures = {
        "published": picture.published,
        "events in": picture.events,
        "jobs done": picture.done,
        "running": picture.running,
        "retrying": picture.retrying,
        "parked": picture.parked,
        "dead": picture.dead,
        "lag": picture.lag_records,
        "wait p50 / p95 / p99": picture.wait,
    }
    table = Table.grid(padding=(0, 3))
    for _ in figures:
        table.add_column(justify="right")
    table.add_row(*(Text(name, style="dim") for name in figures))
    table.add_row(*(Text(str(value), style="bold") for value in figures.values()))
    return table


def _tasks(picture: Picture) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim", pad_edge=False)
    table.add_column("task")
    for name in ("running", "done", "retried", "dead", "wait p50 / p95 / p99"):
        table.add_column(name, justify="right")
    for row in picture.rows():
        table.add_row(row.task, str(row.running), str(row.done), str(row.retried), str(row.dead), row.wait)
    return table


def _style(told: str) -> str:
    return {"dead": "red", "expired": "magenta"}.get(told.partition(" ")[0], "yellow")


def summary_lines(sums: Sequence[Sum], reports: Iterable[Path]) -> Iterator[Text]:
    """How it ended, a line each."""
    yield Text()
    for sum_ in sums:
        holds = ("✓ ", "green") if sum_.holds else ("✗ ", "bold red")
        yield Text.assemble(holds, str(sum_), (f"   {sum_.sources}", "dim"))
    for report in reports:
        yield Text.assemble("Report: ", (str(report), "bold"))
