"""`headrace jobs`: look at jobs as the topics know them, and have them cancelled, retried or moved."""

import asyncio
import datetime as dt

import click

from consumers.cli import job_commands, job_tree
from consumers.cli.output import print_json, print_table
from consumers.cli.pending import find_job, known_jobs
from events.settings import ClientSettings
from events.state_view import JobView
from schemas.job import JobState

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Look at jobs, and have them cancelled, retried or moved.

    Known are jobs that finished and are still remembered, that wait for a retry or their time, that have been
    running for a while, and those enqueued that no worker is done with: these are pending. A job of an event
    is not known before it was taken.
    """


for each in (job_commands.cancel, job_commands.retry, job_commands.reschedule, job_tree.tree):
    command.add_command(each)


@command.command("list")
@click.option("--source", help="Of this source only.")
@click.option("--task", help="Of this task only.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="In this state only.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(min=1), help="The newest so many."
)
@json_option
def list_command(source: str | None, task: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """The newest jobs, newest last."""
    found = [
        job
        for job in asyncio.run(known_jobs(ClientSettings(), source))
        if (task is None or job.task == task) and (state is None or job.state == state)
    ]
    found.sort(key=lambda job: (job.document.get("enqueued_ms") or 0, job.job_id))
    found = found[-limit:]
    if as_json:
        print_json([job.as_json() for job in found])
    elif found:
        print_table([_row(job) for job in found], header=_HEADER)
    else:
        click.echo("No jobs.")


@command.command()
@click.argument("job_id")
@json_option
def show(job_id: str, as_json: bool) -> None:
    """Everything known about one job."""
    job = asyncio.run(find_job(ClientSettings(), job_id))
    if job is None:
        raise click.ClickException(f"no job {job_id} is known: not taken yet, or forgotten since")
    _print(job, as_json=as_json)


_HEADER = ("ENQUEUED", "JOB ID", "TASK", "STATE", "ATTEMPT", "DUE", "SOURCE", "PARTITION", "ERROR")


def _row(job: JobView) -> tuple[object, ...]:
    error = (job.document.get("error") or {}).get("type", "")
    enqueued, due = _time(job.document.get("enqueued_ms")), _time(job.due_ms)
    return (enqueued, job.job_id, job.task, job.state, job.attempt, due, job.source, job.partition, error)


def _print(job: JobView, *, as_json: bool) -> None:
    if as_json:
        print_json(job.as_json())
        return
    for name, value in job.as_json().items():
        if value is not None:
            click.echo(f"{name:18}{_time(value) if name.endswith('_ms') else value}")


def _time(moment_ms: int | None) -> str:
    if not moment_ms:
        return ""
    return dt.datetime.fromtimestamp(moment_ms / 1000, dt.UTC).isoformat(timespec="milliseconds")
