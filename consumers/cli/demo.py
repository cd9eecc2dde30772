"""`headrace demo`: real flights through the built-in tasks, to watch."""

import asyncio
import datetime as dt
import os
import signal
from pathlib import Path

import click
from rich.console import Console

from consumers.demo.conductor import Ending, conduct
from consumers.demo.dataset import read_flights
from consumers.demo.screen import screen_on, summary_lines
from consumers.demo.stage import stage

INTERRUPTED = 130


@click.command()
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1800.0,
    show_default=True,
    help="Seconds of 2013 in one of ours; 0 is as fast as Kafka takes them.",
)
@click.option(
    "--flights",
    "count",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many flights from the day on [default: those of the day].",
)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2013-07-10",
    show_default=True,
    help="The first day; this one had storms.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("headrace-demo"),
    show_default=True,
    help="For reports and logs; emptied at the start.",
)
@click.option(
    "--gateway-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Where the gateway listens [default: any free port; its address is printed].",
)
@click.option("--stay", is_flag=True, help="Leave everything up after the summary, until Ctrl-C.")
@click.option("--plain", is_flag=True, help="Lines instead of a live picture, also on a terminal.")
def command(
    speed: float,
    count: int | None,
    day: dt.datetime,
    folder: Path,
    gateway_port: int | None,
    stay: bool,
    plain: bool,
) -> None:
    """Play a day of flights from New York in 2013 through two workers.

    Starts a Kafka of its own (or uses HEADRACE_BOOTSTRAP_SERVERS), a mail server and a webhook that fail now
    and then, two workers and the gateway; publishes the flights as events; ends by itself with a summary.
    Exit code 1 when the summary does not add up.
    """
    console = Console(highlight=False)
    flights = read_flights(day.date(), count)
    _end_like_ctrl_c(signal.SIGTERM, signal.SIGHUP)
    try:
        with screen_on(console, plain=plain) as screen, stage(folder, screen.say, gateway_port) as set_up:
            ending = asyncio.run(conduct(set_up, screen, flights, speed=speed))
            if stay:
                for line in summary_lines(ending.sums, ending.reports):
                    screen.say(line.plain)
                screen.say(f"Still at {set_up.gateway.url}; Ctrl-C ends it")
                signal.pause()
            screen.say("Stopping the workers, the gateway and Kafka")
    except KeyboardInterrupt:
        console.print("Interrupted; everything is stopped.")
        raise SystemExit(INTERRUPTED) from None
    _tell(console, ending)


def _end_like_ctrl_c(*numbers: signal.Signals) -> None:
    """Whoever ends the demo, it stops what it started."""
    # A shell's background job inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in numbers:
        signal.signal(number, lambda *_: os.kill(os.getpid(), signal.SIGINT))


def _tell(console: Console, ending: Ending) -> None:
    for line in summary_lines(ending.sums, ending.reports):
        console.print(line, soft_wrap=True)
    if not ending.adds_up:
        console.print("It does not add up. The logs of the workers are beside the reports.", style="bold red")
        raise SystemExit(1)
