"""`headrace enqueue TASK`: ask for one job and print its id."""

import asyncio
from typing import Any

import click
import orjson

from consumers.cli.json_input import json_of
from consumers.cli.moments import Length, Moment
from consumers.cli.output import print_json
from events.errors import JobNotCompleted
from events.handle import JobHandle
from events.queue import JobQueue
from events.queue_options import PRIORITIES, EnqueueOptions
from events.settings import ClientSettings


@click.command()
@click.argument("task")
@click.option("--args", "arguments", default="{}", metavar="JSON|@FILE|-", help="Keyword arguments.")
@click.option(
    "--in", "--defer-by", "defer_by", type=Length(), help="Run it so much later: seconds, or 90s, 2h30m, 3d."
)
@click.option("--at", "run_at", type=Moment(), help="Run it then: 2030-01-01T09:00:00+01:00.")
@click.option("--deadline", type=click.FloatRange(min=0), metavar="SECONDS", help="No attempt begins after.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Normal unless given.")
@click.option("--job-id", help="The id of the job; the same id is the same job.")
@click.option(
    "--idempotency-key", metavar="KEY", help="The same key is the same job of the task; text or JSON."
)
@click.option("--unique", is_flag=True, help="Drop it while a job of equal arguments is unfinished.")
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait so long for the result.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    task: str,
    arguments: str,
    as_json: bool,
    idempotency_key: str | None,
    wait: float | None,
    **options: Any,
) -> None:
    """Ask for a job of TASK; print its id when Kafka has it, with --wait its result as JSON.

    Arguments are checked by the worker: a job with wrong ones becomes a dead letter. A job without a result,
    or none in time, is exit code 1.
    """
    args = json_of(arguments, option="--args")
    if not isinstance(args, dict):
        raise click.BadParameter("wanted a JSON object of keyword arguments", param_hint="--args")
    try:
        given = EnqueueOptions(idempotency_key=_key(idempotency_key), **options)
        handle, result = asyncio.run(_enqueue(task, args, given, wait))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        where = {} if handle.position is None else handle.position._asdict()
        print_json({"job_id": handle.job_id, **where} | ({} if wait is None else {"result": result}))
    elif wait is not None:
        print_json(result)
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


async def _enqueue(
    task: str, args: dict[str, Any], options: EnqueueOptions, wait: float | None
) -> tuple[JobHandle, Any]:
    async with JobQueue(ClientSettings()) as queue:
        handle = await queue.request(task, args, options)
        if wait is None:
            return handle, None
        try:
            return handle, await handle.result(timeout=wait)
        except JobNotCompleted as error:
            raise click.ClickException(str(error)) from error
        except TimeoutError as error:
            raise click.ClickException(f"job {handle.job_id} did not finish within {wait:g} s") from error
