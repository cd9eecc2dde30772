"""The `headrace` command: one file per subcommand, imported only when it is called.

Exit codes: 0 done, 1 failed, 2 wrong use or configuration. An error of ours is one message on
stderr; any other is a bug and keeps its traceback.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from consumers.errors import BootError, ConsumersError
from consumers.own_packages import check_own_packages

# Name → its line of help, so that `headrace --help` imports none of them.
COMMANDS = {
    "broker": "A Kafka on this machine, for development and tests.",
    "topics": "Create topics, and compare them with what the work needs.",
    "worker": "Run the tasks.",
    "gateway": "Serve jobs and events over HTTP.",
    "publish": "Publish an event.",
    "enqueue": "Ask for a job.",
    "jobs": "Look at jobs; cancel, retry and move them.",
    "dlq": "Look at dead letters, and send them again.",
    "schedules": "Look at schedules; pause, resume and run them.",
    "workers": "Who is there.",
    "schemas": "Keep the schemas of events compatible.",
    "lag": "How far behind each source is.",
    "demo": "Play real flights through the built-in tasks.",
}


class LazyGroup(click.Group):
    """Finds a subcommand in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"consumers.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace")
def command() -> None:
    """Background jobs on Kafka."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Always ends in SystemExit, or in the traceback of a bug."""
    try:
        check_own_packages(sys.path)
    except BootError as error:
        _give_up(error, exit_code=2)
    # Not before: somebody else's `events` may be what Python finds.
    from events.errors import EventsError

    try:
        command.main(args=arguments, prog_name="headrace")
    except (EventsError, ConsumersError) as error:
        _give_up(error, exit_code=exit_code_of(error))


def _give_up(error: Exception, *, exit_code: int) -> NoReturn:
    click.echo(f"headrace: {error}", err=True)
    sys.exit(exit_code)


def exit_code_of(error: Exception) -> int:
    """2 when the configuration or the tasks must be mended first, else 1."""
    from events.errors import InvalidSettings

    return 2 if isinstance(error, (InvalidSettings, BootError)) else 1
