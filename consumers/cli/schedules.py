"""`headrace schedules list|show|next|pause|resume|run`: schedules as the cluster knows them."""

import asyncio
import time
import uuid
from typing import Any

import click

from consumers.cli.output import print_json, print_table
from consumers.engine.schedule_commands import run_id
from consumers.scheduling.listing import Standing, read_schedules
from events.following import Place
from events.job_status import CommandAnswer
from events.log_reader import LogReader
from events.queue import JobQueue
from events.settings import ClientSettings
from events.topics import JOBS
from schemas.command import Answer, Command

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
name_argument = click.argument("name")
timeout_option = click.option(
    "--timeout", default=30.0, show_default=True, type=click.FloatRange(min=0), help="Seconds for the answer."
)

_HEADER = ("NAME", "TASK", "WHEN", "STATE", "NEXT", "LAST", "OUTCOME")


@click.group()
def command() -> None:
    """Look at schedules, pause and resume them, run one now.

    They are written in task modules with cron(…), and announced by the workers. Times are in the schedule's
    zone.
    """


@command.command("list")
@click.option("--task", help="Of this task only.")
@json_option
def list_command(task: str | None, as_json: bool) -> None:
    """All schedules."""
    found = [
        each for each in asyncio.run(_all(ClientSettings())) if task in (None, each.document.get("task"))
    ]
    if as_json:
        print_json([each.as_json() for each in found])
    elif found:
        print_table([_row(each) for each in found], header=_HEADER)
    else:
        click.echo("No schedules.")


@command.command()
@name_argument
@json_option
def show(name: str, as_json: bool) -> None:
    """Everything known about one schedule."""
    found = _find(name)
    if as_json:
        print_json(found.as_json())
        return
    for field, value in found.as_json().items():
        if value is not None:
            shown = found.local(value) if field in ("next_ms", "last_ms") else value
            click.echo(f"{field.removesuffix('_ms'):18}{shown}")


@command.command("next")
@name_argument
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, 1000), help="So many times.")
@json_option
def next_command(name: str, count: int, as_json: bool) -> None:
    """The times a schedule names from now on."""
    found = _find(name)
    times = found.upcoming(round(time.time() * 1000), count)
    if as_json:
        print_json(times)
    else:
        click.echo(
            "\n".join(found.local(each) for each in times) or f"{name}: {found.why_not or 'never again'}"
        )


@command.command()
@name_argument
@timeout_option
@json_option
def pause(name: str, timeout: float, as_json: bool) -> None:
    """Run none of its times until it is resumed."""
    _do(Command.PAUSE_SCHEDULE, name, timeout, as_json=as_json)


@command.command()
@name_argument
@timeout_option
@json_option
def resume(name: str, timeout: float, as_json: bool) -> None:
    """Go on with its next time; those that passed meanwhile are not made up for."""
    _do(Command.RESUME_SCHEDULE, name, timeout, as_json=as_json)


@command.command()
@name_argument
@timeout_option
@json_option
def run(name: str, timeout: float, as_json: bool) -> None:
    """Start one job of it now, paused or not; print the job's id."""
    _do(Command.RUN_SCHEDULE, name, timeout, as_json=as_json)


def _row(found: Standing) -> tuple[object, ...]:
    schedule, cursor = found.schedule, found.cursor
    last = "" if cursor is None else found.local(cursor.last_ms)
    outcome = (cursor.last_outcome or {}) if cursor is not None else {}
    told = " ".join(filter(None, (outcome.get("outcome"), outcome.get("why"))))
    when = "" if schedule is None else _when(found)
    return (found.name, found.document.get("task"), when, found.state, found.local(found.next_ms), last, told)


def _when(found: Standing) -> str:
    every, cron = found.document.get("every_seconds"), found.document.get("cron")
    return f"every {every:g} s" if every else f"{cron} {found.document.get('timezone')}"


def _find(name: str) -> Standing:
    for each in asyncio.run(_all(ClientSettings())):
        if each.name == name:
            return each
    raise _unknown(name)


def _unknown(name: str) -> click.ClickException:
    return click.ClickException(f"no schedule {name}; `headrace schedules list` shows those there are")


async def _all(settings: ClientSettings) -> list[Standing]:
    async with LogReader(settings) as reader:
        return await read_schedules(reader, settings.app_id)


def _do(what: Command, name: str, timeout: float, *, as_json: bool) -> None:
    found, command_id = _find(name), str(uuid.uuid4())
    try:
        answer = asyncio.run(_ask(what, found, timeout, command_id))
    except TimeoutError as error:
        raise click.ClickException(
            f"no worker answered within {timeout:g} s; it does what was asked when it comes to it"
        ) from error
    told: dict[str, Any] = {"schedule": name, "answer": answer.answer.value}
    if answer.answer is Answer.STARTED:
        told["job_id"] = run_id(str(found.document["task"]), name, command_id)
    if answer.why:
        told["why"] = answer.why
    if as_json:
        print_json(told)
    else:
        click.echo(f"{name}: " + " ".join(str(value) for key, value in told.items() if key != "schedule"))
    if answer.answer in (Answer.UNKNOWN_SCHEDULE, Answer.REFUSED):
        click.get_current_context().exit(1)


async def _ask(what: Command, found: Standing, timeout: float, command_id: str) -> CommandAnswer:
    body = {"schedule": found.name, "asked_ms": round(time.time() * 1000)}
    async with JobQueue(ClientSettings()) as queue:
        place = Place(JOBS, found.partition)
        return await queue.ask(place, what, body, timeout=timeout, command_id=command_id)
