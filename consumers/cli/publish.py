"""`headrace publish TYPE`: publish one event, or one for every line."""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from pydantic import ValidationError

from consumers.cli.json_input import bytes_of, parsed
from consumers.cli.output import print_json
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from schemas.domain import VERSION_EXTENSION, DomainEvent, model_of
from schemas.state import Position

_CHUNK = 1_000


@click.command()
@click.argument("type")
@click.option("--data", "data", default="-", metavar="JSON|@FILE|-", show_default=True, help="The payload.")
@click.option("--lines", is_flag=True, help="Every line of the data is the payload of an event of its own.")
@click.option("--topic", help="Where to; an event of the catalogue knows its own.")
@click.option("--key", help="Record key; unless given the event's own, else its id.")
@click.option("--id", "id", help="Event id; random unless given.")
@click.option("--source", help="Event source; /APP_ID unless given.")
@click.option("--subject", help="Event subject.")
@click.option("--extension", "extensions", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--module", "modules", multiple=True, help="Import it first: its events join the catalogue.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(type: str, data: str, lines: bool, as_json: bool, **options: Any) -> None:
    """Publish an event of TYPE, and say where it is when Kafka has it.

    The payload of a type in the catalogue is checked against its model first.
    """
    if lines and options["id"]:
        raise click.UsageError("--id names one event: leave it out with --lines")
    for module in ("schemas.flights", *options["modules"]):
        import_module(module)
    content = bytes_of(data, option="--data").strip()
    payloads = [line for line in content.splitlines() if line.strip()] if lines else [content]
    envelopes = [_envelope(type, payload, number, options) for number, payload in enumerate(payloads, 1)]
    positions = asyncio.run(_publish(envelopes, options["topic"]))
    _print([event for event, _ in envelopes], positions, as_json=as_json, lines=lines)


def _envelope(type: str, payload: bytes, line: int, options: dict[str, Any]) -> tuple[CloudEvent, str | None]:
    """(event, record key)."""
    extensions = dict(_pair(text) for text in options["extensions"])
    source = options["source"] or f"/{ClientSettings().app_id}"
    fields: dict[str, Any] = {"id": options["id"], "source": source, "subject": options["subject"]}
    event = CloudEvent(
        type=type, data=parsed(payload, option=f"--data, line {line}"), extensions=extensions, **fields
    )
    model = _model(event, options["topic"])
    if model is None:
        return event, options["key"]
    try:
        known = model.model_validate_json(payload)
    except ValidationError as error:
        raise click.BadParameter(f"line {line}: {_explained(error)}", param_hint="--data") from None
    event.raw_data, event.time = payload, known.occurred_at()
    return event, options["key"] or known.key()


def _model(event: CloudEvent, topic: str | None) -> type[DomainEvent] | None:
    try:
        model = model_of(event.type, event.version)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"--extension {VERSION_EXTENSION}") from error
    if model is None and topic is None:
        raise click.UsageError(
            f"{event.type} is not in the catalogue, so its topic is not known: give --topic"
        )
    return model


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not (name.isascii() and name.isalnum() and name == name.lower()):
        raise click.BadParameter(
            f"{text!r}: wanted NAME=VALUE, the name of small letters and digits", param_hint="--extension"
        )
    return name, value


def _explained(error: ValidationError) -> str:
    """Where and why, never the values: they may be secret."""
    problems = (
        f"{'.'.join(map(str, problem['loc'])) or 'data'}: {problem['msg']}" for problem in error.errors()
    )
    return "; ".join(problems)


async def _publish(envelopes: Sequence[tuple[CloudEvent, str | None]], topic: str | None) -> list[Position]:
    async with Publisher(ClientSettings()) as publisher:
        if len(envelopes) == 1:
            event, key = envelopes[0]
            return [await publisher.publish(event, topic=topic, key=key)]
        records = [publisher.record(event, topic=topic, key=key) for event, key in envelopes]
        chunks = [records[start : start + _CHUNK] for start in range(0, len(records), _CHUNK)]
        return [position for chunk in chunks for position in await publisher.send_many(chunk)]


def _print(events: list[CloudEvent], positions: list[Position], *, as_json: bool, lines: bool) -> None:
    if as_json:
        sent = [{"id": event.id, **at._asdict()} for event, at in zip(events, positions, strict=True)]
        print_json(sent if lines else sent[0])
    elif lines:
        click.echo(f"{len(positions)} events published")
    else:
        at = positions[0]
        click.echo(f"{events[0].id} is at {at.topic}[{at.partition}]@{at.offset}")
