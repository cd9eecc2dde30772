"""`headrace jobs list|show`: jobs as the state topics know them. Reads only."""

import asyncio
import datetime as dt
import time

import click

from consumers.cli.output import print_json, print_table
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.state_view import JobView, read_view, sources_of
from schemas.job import JobState

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Look at jobs.

    Known are jobs that finished and are still remembered, that wait for a retry or their time, and that run
    for long. A job nobody took yet, or that runs since a moment ago, is not known yet.
    """


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
        for job in asyncio.run(_jobs(ClientSettings(), source))
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
    for job in asyncio.run(_jobs(ClientSettings(), None)):
        if job.job_id == job_id:
            _print(job, as_json=as_json)
            return
    raise click.ClickException(f"no job {job_id} is known: not taken yet, or forgotten since")


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


async def _jobs(settings: ClientSettings, source: str | None) -> list[JobView]:
    now_ms = time.time_ns() // 1_000_000
    async with LogReader(settings) as reader:
        sources = [source] if source else sources_of(settings.app_id, await reader.topics())
        views = [await read_view(reader, settings.app_id, each) for each in sources]
    return [job for view in views for job in view.jobs(now_ms)]
