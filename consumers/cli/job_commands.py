"""`headrace jobs cancel|retry|reschedule`: ask the worker that owns a job, and print what really happened."""

import asyncio
import datetime as dt
import time
from typing import Any

import click

from consumers.cli.output import print_json
from consumers.cli.pending import find_job
from events.following import Place
from events.job_status import CommandAnswer
from events.queue import JobQueue
from events.settings import ClientSettings
from schemas.command import Answer, Command

DONE = frozenset({Answer.CANCELLED, Answer.CANCELLING, Answer.RESCHEDULED, Answer.REDRIVEN})

job_argument = click.argument("job_id")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
timeout_option = click.option(
    "--timeout", default=30.0, show_default=True, type=click.FloatRange(min=0), help="Seconds for the answer."
)


@click.command()
@job_argument
@click.option("--reason", default="", help="Kept with the job.")
@timeout_option
@json_option
def cancel(job_id: str, reason: str, timeout: float, as_json: bool) -> None:
    """Cancel a job. Waiting and parked ones at once; one that runs is told to end, and never tried again."""
    _do(Command.CANCEL, job_id, {"reason": reason}, timeout, as_json=as_json)


@click.command()
@job_argument
@timeout_option
@json_option
def retry(job_id: str, timeout: float, as_json: bool) -> None:
    """Run a job that ended badly once more, with all its tries; one that is parked runs now."""
    _do(Command.RETRY, job_id, {}, timeout, as_json=as_json)


@click.command()
@job_argument
@click.option("--in", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="So much from now.")
@click.option("--at", "moment", metavar="TIME", help="At this time, ISO 8601 with its zone.")
@timeout_option
@json_option
def reschedule(job_id: str, seconds: float | None, moment: str | None, timeout: float, as_json: bool) -> None:
    """Have a parked job run at another time."""
    if (seconds is None) == (moment is None):
        raise click.UsageError("give one of --in and --at")
    due_ms = _moment_ms(moment) if moment is not None else round((time.time() + (seconds or 0)) * 1000)
    _do(Command.RESCHEDULE, job_id, {"due_ms": due_ms}, timeout, as_json=as_json)


def _moment_ms(text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error
    if moment.tzinfo is None:
        raise click.BadParameter(
            "a time needs its zone, such as 2030-01-01T09:00:00+01:00", param_hint="--at"
        )
    return round(moment.timestamp() * 1000)


def _do(command: Command, job_id: str, body: dict[str, Any], timeout: float, *, as_json: bool) -> None:
    try:
        answer = asyncio.run(_ask(command, job_id, body, timeout))
    except TimeoutError as error:
        raise click.ClickException(
            f"no worker answered within {timeout:g} s; it does what was asked when it comes to it"
        ) from error
    if as_json:
        print_json({"job_id": job_id, "command": command.value, **_shown(answer)})
    else:
        said = [answer.answer.value.replace("_", " "), *(f"({text})" for text in (answer.why,) if text)]
        state = "" if answer.job_state is None else f"; the job is {answer.job_state.value}"
        click.echo(f"{job_id}: {' '.join(said)}{state}")
    if answer.answer not in DONE:
        click.get_current_context().exit(1)


def _shown(answer: CommandAnswer) -> dict[str, Any]:
    state = None if answer.job_state is None else answer.job_state.value
    return {"answer": answer.answer.value, "job_state": state, "why": answer.why, "due_ms": answer.due_ms}


async def _ask(command: Command, job_id: str, body: dict[str, Any], timeout: float) -> CommandAnswer:
    settings = ClientSettings()
    job = await find_job(settings, job_id)
    if job is None:
        raise click.ClickException(f"no job {job_id} is known; `headrace jobs list` shows those there are")
    about = {"job_id": job_id, "task": job.task, "at": job.document.get("at"), **body}
    async with JobQueue(settings) as queue:
        return await queue.ask(Place(job.source, job.partition), command, about, timeout=timeout)
