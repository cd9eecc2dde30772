"""`headrace workers`: the workers, by what their last sign of life said."""

import asyncio
import datetime as dt
import time
from typing import Any, Final

import click
import orjson

from consumers.cli.output import print_json, print_table
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.topics import workers_topic

GONE_SECONDS: Final = 20.0
"""Four heartbeats missed: it is taken for dead."""
_HEADER = ("WORKER", "RELEASE", "STATE", "SEEN", "STARTED", "RUNNING", "PARTITIONS", "TASKS")


@click.command()
@click.option("--all", "with_gone", is_flag=True, help="Those stopped and lost in the last hour too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(with_gone: bool, as_json: bool) -> None:
    """The workers that are there."""
    now_ms = round(time.time() * 1000)
    found = [with_state(each, now_ms) for each in asyncio.run(_workers(ClientSettings()))]
    found = [each for each in found if with_gone or each["state"] not in ("stopped", "lost")]
    if as_json:
        print_json(found)
    elif found:
        print_table([_row(each, now_ms) for each in found], header=_HEADER)
    else:
        click.echo("No workers.")


def with_state(worker: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """The same; one that is not heard of any more is `lost`."""
    lost = worker["state"] != "stopped" and now_ms - worker["at_ms"] > GONE_SECONDS * 1000
    return worker | {"state": "lost"} if lost else worker


def _row(worker: dict[str, Any], now_ms: int) -> tuple[object, ...]:
    started = dt.datetime.fromtimestamp(worker["started_ms"] / 1000, dt.UTC).isoformat(timespec="seconds")
    partitions = sum(len(numbers) for numbers in worker["partitions"].values())
    seen = f"{max(0, now_ms - worker['at_ms']) / 1000:.0f} s ago"
    return (
        worker["worker"],
        worker["release"],
        worker["state"],
        seen,
        started,
        worker["running"],
        partitions,
        len(worker["tasks"]),
    )


async def _workers(settings: ClientSettings) -> list[dict[str, Any]]:
    newest: dict[bytes, dict[str, Any]] = {}
    async with LogReader(settings) as reader:
        async for record in reader.read([workers_topic(settings.app_id)]):
            newest[record.key] = orjson.loads(record.value)
    return sorted(newest.values(), key=lambda each: str(each["worker"]))
