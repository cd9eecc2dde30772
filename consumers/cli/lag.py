"""`headrace lag`: how far behind each source is."""

import asyncio
import logging

import click

from consumers.cli.output import print_json, print_table
from events.lag import PartitionLag, read_lag
from events.settings import ClientSettings

HEADER = ("topic", "partition", "end", "committed", "lag records", "lag seconds")


@click.command()
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--watch", is_flag=True, help="Go on until interrupted.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds, for --watch."
)
def command(topics: tuple[str, ...], as_json: bool, watch: bool, every: float) -> None:
    """How far behind each source is, in records and in seconds.

    Asked of Kafka, not of the workers: it holds when all of them are dead. Jobs parked for a retry or a
    delay are not behind and do not count.
    """
    # What the client library says of a broker that is away, our error says once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = ClientSettings()
    asyncio.run(_watch(settings, topics, as_json, every) if watch else _once(settings, topics, as_json))


async def _watch(settings: ClientSettings, topics: tuple[str, ...], as_json: bool, every: float) -> None:
    while True:
        lags = await read_lag(settings, topics=topics)
        if not as_json:
            click.clear()
        _show(settings.app_id, lags, as_json)
        await asyncio.sleep(every)


async def _once(settings: ClientSettings, topics: tuple[str, ...], as_json: bool) -> None:
    _show(settings.app_id, await read_lag(settings, topics=topics), as_json)


def _show(group: str, lags: list[PartitionLag], as_json: bool) -> None:
    known = [lag.lag_seconds for lag in lags if lag.lag_seconds is not None]
    total = {"lag_records": sum(lag.lag_records for lag in lags), "lag_seconds": max(known, default=0.0)}
    if as_json:
        print_json({"group": group, **total, "partitions": [lag.document() for lag in lags]})
        return
    if not lags:
        click.echo(f"Group {group} has committed nothing, and no topic has a ledger of it.")
        return
    print_table([_row(lag) for lag in lags], header=HEADER)
    click.echo(f"\n{total['lag_records']} records behind, the oldest for {total['lag_seconds']:.1f} s.")


def _row(lag: PartitionLag) -> tuple[object, ...]:
    committed = "-" if lag.committed is None else lag.committed
    seconds = "?" if lag.lag_seconds is None else f"{lag.lag_seconds:.1f}"
    return lag.topic, lag.partition, lag.end, committed, lag.lag_records, seconds
