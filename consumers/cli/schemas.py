"""`headrace schemas check|export`: the catalogue of domain events against the snapshots kept of it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import orjson

from schemas.compatibility import incompatibilities
from schemas.domain import CATALOGUE, DomainEvent

_FOLDER: Final = Path("schemas/snapshots")
_folder = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=_FOLDER, show_default=True, help="Snapshots."
)
_modules = click.option(
    "--module", "modules", multiple=True, help="Import this module too: its events join the catalogue."
)

Snapshots = Mapping[str, dict[str, Any]]


@click.group()
def command() -> None:
    """Keep the schemas of events compatible."""


@command.command()
@_folder
@_modules
def export(folder: Path, modules: tuple[str, ...]) -> None:
    """Write the JSON Schema of every domain event, one file a type and version."""
    schemas = current_schemas(_catalogue(modules))
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        (folder / name).write_bytes(_bytes(schema))
    click.echo(f"{len(schemas)} schemas written to {folder}")


@command.command()
@_folder
@_modules
def check(folder: Path, modules: tuple[str, ...]) -> None:
    """Fail when an event changed in a way its publishers or readers cannot bear."""
    kept = {file.name: orjson.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))}
    findings = compare(kept, current_schemas(_catalogue(modules)))
    for finding in findings:
        click.echo(finding, err=True)
    if findings:
        sys.exit(1)
    click.echo(f"{len(kept)} schemas, all as in {folder}")


def current_schemas(catalogue: Mapping[tuple[str, int], type[DomainEvent]]) -> dict[str, dict[str, Any]]:
    """The schema of every event by its file name."""
    return {
        f"{type}.v{version}.json": model.model_json_schema()
        for (type, version), model in sorted(catalogue.items())
    }


def compare(kept: Snapshots, current: Snapshots) -> list[str]:
    """What is wrong between snapshots and code, one line each, with what to do."""
    findings = []
    for name in sorted(kept.keys() | current.keys()):
        event = name.removesuffix(".json")
        if name not in current:
            findings.append(f"{event}: has a snapshot but no class any more; events of it may still come")
        elif name not in kept:
            findings.append(f"{event}: has no snapshot; run `headrace schemas export`")
        elif reasons := incompatibilities(kept[name], current[name]):
            findings += [f"{event}: {reason}; give the changed event a new version" for reason in reasons]
        elif kept[name] != current[name]:
            findings.append(f"{event}: changed compatibly; run `headrace schemas export`")
    return findings


def _catalogue(modules: tuple[str, ...]) -> Mapping[tuple[str, int], type[DomainEvent]]:
    from importlib import import_module

    for module in modules or ("schemas.flights",):
        import_module(module)
    return CATALOGUE


def _bytes(schema: dict[str, Any]) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
