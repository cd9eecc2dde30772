"""`headrace enqueue TASK`: ask for one job and print its id."""

import asyncio
from typing import Any

import click
import orjson

from consumers.cli.json_input import json_of
from consumers.cli.output import print_json
from events.queue import JobHandle, JobQueue
from events.queue_options import PRIORITIES, EnqueueOptions
from events.settings import ClientSettings


@click.command()
@click.argument("task")
@click.option("--args", "arguments", default="{}", metavar="JSON|@FILE|-", help="Keyword arguments.")
@click.option("--defer-by", type=click.FloatRange(min=0), metavar="SECONDS", help="Run it so much later.")
@click.option("--deadline", type=click.FloatRange(min=0), metavar="SECONDS", help="No attempt begins after.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Normal unless given.")
@click.option("--job-id", help="The id of the job; the same id is the same job.")
@click.option(
    "--idempotency-key", metavar="KEY", help="The same key is the same job of the task; text or JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(task: str, arguments: str, as_json: bool, idempotency_key: str | None, **options: Any) -> None:
    """Ask for a job of TASK; print its id when Kafka has it.

    Arguments are checked by the worker: a job with wrong ones becomes a dead letter.
    """
    args = json_of(arguments, option="--args")
    if not isinstance(args, dict):
        raise click.BadParameter("wanted a JSON object of keyword arguments", param_hint="--args")
    try:
        given = EnqueueOptions(idempotency_key=_key(idempotency_key), **options)
        handle = asyncio.run(_enqueue(task, args, given))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        print_json({"job_id": handle.job_id, **handle.position._asdict()})
    else:
        click.echo(handle.job_id)


def _key(text: str | None) -> Any:
    """Keys are JSON values; what is no JSON is text."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


async def _enqueue(task: str, args: dict[str, Any], options: EnqueueOptions) -> JobHandle:
    async with JobQueue(ClientSettings()) as queue:
        return await queue.request(task, args, options)
