"""`headrace topics apply|diff`: the topics the tasks need, and those there are."""

import asyncio
from collections.abc import Iterable
from typing import Any

import click

from consumers.cli.output import print_json
from consumers.registry import load_sources
from consumers.settings import WorkerSettings
from events.provision import apply, connected, wanted_and_found
from events.topic_changes import Change, Cluster, Create, Keep, Refuse, SetConfig, diff
from events.topics import Source, event_source, plan

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
topic_option = click.option(
    "--topic", "only", multiple=True, metavar="T", help="This topic only; may be repeated."
)
source_option = click.option(
    "--source",
    "extra",
    multiple=True,
    metavar="NAME[:PARTITIONS]",
    help="A source besides those of the task modules; may be repeated.",
)


@click.group()
def command() -> None:
    """The topics the tasks need, and those there are.

    Sources come from the modules in HEADRACE_TASK_MODULES. Partition counts of topics that exist
    are never changed; what cannot be mended without a person is refused with its command.
    """


@command.command("apply")
@topic_option
@source_option
@json_option
def apply_command(only: tuple[str, ...], extra: tuple[str, ...], as_json: bool) -> None:
    """Create what is missing and set what differs. Changes nothing when a difference is refused."""
    settings = WorkerSettings()
    changes = asyncio.run(_apply(settings, _sources(settings, extra), only))
    _print(changes, as_json=as_json, nothing="Every topic is as it should be.")


@command.command("diff")
@topic_option
@source_option
@json_option
def diff_command(only: tuple[str, ...], extra: tuple[str, ...], as_json: bool) -> None:
    """Say what apply would do. Exit code 1 when it would do or refuse something."""
    settings = WorkerSettings()
    changes, _ = asyncio.run(_differences(settings, _sources(settings, extra), only))
    _print(changes, as_json=as_json, nothing="Every topic is as it should be.")
    if any(not isinstance(change, Keep) for change in changes):
        raise SystemExit(1)


async def _apply(
    settings: WorkerSettings, sources: tuple[Source, ...], only: tuple[str, ...]
) -> tuple[Change, ...]:
    changes, cluster = await _differences(settings, sources, only)
    async with connected(settings) as admin:
        await apply(admin, changes, cluster)
    return changes


async def _differences(
    settings: WorkerSettings, sources: tuple[Source, ...], only: tuple[str, ...]
) -> tuple[tuple[Change, ...], Cluster]:
    _check_names(settings, sources, only)
    async with connected(settings) as admin:
        wanted, cluster = await wanted_and_found(admin, settings.app_id, sources, settings)
    return diff([spec for spec in wanted if not only or spec.name in only], cluster), cluster


def _check_names(settings: WorkerSettings, sources: tuple[Source, ...], only: Iterable[str]) -> None:
    known = {spec.name for spec in plan(settings.app_id, sources, settings)}
    for name in only:
        if name not in known:
            raise click.UsageError(
                f"--topic {name}: not a topic of these sources. There are: {_listed(known)}"
            )


def _sources(settings: WorkerSettings, extra: tuple[str, ...]) -> tuple[Source, ...]:
    sources = {source.name: source for source in load_sources(settings)}
    for text in extra:
        source = _parse_source(text)
        sources.setdefault(source.name, source)
    return tuple(sources.values())


def _parse_source(text: str) -> Source:
    name, _, partitions = text.partition(":")
    if not name or (partitions and not (partitions.isdecimal() and int(partitions) > 0)):
        raise click.UsageError(f"--source {text}: wanted NAME or NAME:PARTITIONS, like flights:6")
    source = event_source(name)
    count = int(partitions) if partitions else None
    return Source(name=source.name, topics=source.topics, partitions=count)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _print(changes: tuple[Change, ...], *, as_json: bool, nothing: str) -> None:
    if as_json:
        print_json([_as_json(change) for change in changes])
        return
    for change in changes:
        click.echo(str(change))
    if not changes:
        click.echo(nothing)


def _as_json(change: Change) -> dict[str, Any]:
    match change:
        case Create(spec):
            return {
                "change": "create",
                "topic": spec.name,
                "partitions": spec.partitions,
                "replication_factor": spec.replication_factor,
                "config": dict(spec.config),
            }
        case SetConfig() | Keep() | Refuse():
            return {"change": type(change).__name__.lower(), **vars(change)}
