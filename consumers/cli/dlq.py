"""`headrace dlq list|show|redrive`: dead letters read from their topics; redriving commands their owner."""

import asyncio
import base64
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any

import click

from consumers.cli.output import print_json, print_table
from events.dead_letters import DeadLetter, letter_of, letters_of, redrive_record
from events.log_reader import LogReader
from events.sender import Sender
from events.settings import ClientSettings
from events.state_view import sources_of
from events.topics import dlq_topic
from schemas.deadletter import DeadLetterHeader, Reason

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
letter_argument = click.argument("letter", nargs=-1, required=True, metavar="JOB_ID | TOPIC PARTITION OFFSET")


@click.group()
def command() -> None:
    """Look at dead letters, and send them again.

    A letter is named by its job id, or by where it is: topic (or source), partition and offset.
    """


@command.command("list")
@click.option("--source", help="Of this source only.")
@click.option("--task", help="Of this task only.")
@click.option(
    "--reason", type=click.Choice([reason.value for reason in Reason]), help="With this reason only."
)
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(min=1), help="The newest so many."
)
@json_option
def list_command(source: str | None, task: str | None, reason: str | None, limit: int, as_json: bool) -> None:
    """The newest dead letters, newest last."""

    def wanted(letter: DeadLetter) -> bool:
        return (task is None or letter.fact(DeadLetterHeader.TASK) == task) and (
            reason is None or letter.fact(DeadLetterHeader.REASON) == reason
        )

    letters = [letter for letter in asyncio.run(_all(ClientSettings(), source)) if wanted(letter)]
    letters.sort(key=lambda letter: letter.as_json().get("last_failed_at", 0))
    letters = letters[-limit:]
    if as_json:
        print_json([letter.as_json() for letter in letters])
    elif letters:
        print_table([_row(letter) for letter in letters], header=_HEADER)
    else:
        click.echo("No dead letters.")


@command.command()
@letter_argument
@click.option("--payload", is_flag=True, help="Show key, value and headers of the event too.")
@json_option
def show(letter: tuple[str, ...], payload: bool, as_json: bool) -> None:
    """Everything about one letter; its payload only when asked for."""
    found = asyncio.run(_find(ClientSettings(), letter))
    fields = found.as_json() | (_payload(found) if payload else {})
    if as_json:
        print_json(fields)
        return
    for name, value in fields.items():
        click.echo(f"{name:20}{_shown(name, value)}")


@command.command()
@letter_argument
@json_option
def redrive(letter: tuple[str, ...], as_json: bool) -> None:
    """Run the job of a letter again. The letter stays; asked twice, the job still runs once."""
    settings = ClientSettings()
    found = asyncio.run(_find(settings, letter))
    command_id = str(uuid.uuid4())
    position = asyncio.run(_redrive(settings, found, command_id))
    if as_json:
        print_json({"command_id": command_id, "job_id": found.job_id, **position._asdict()})
    else:
        click.echo(
            f"{found.job_id or 'the event'}: asked {position.topic}[{position.partition}] to run it again"
        )


_HEADER = ("LAST FAILED", "TOPIC", "PARTITION", "OFFSET", "REASON", "TASK", "ATTEMPTS", "JOB ID", "ERROR")


def _row(letter: DeadLetter) -> tuple[object, ...]:
    facts = letter.as_json()
    error = f"{facts.get('exception_type', '')}: {facts.get('exception_message', '')}".strip(": ")
    names = ("reason", "task", "attempts", "job_id")
    last_failed = _shown("last_failed_at", facts.get("last_failed_at", ""))
    return (last_failed, *letter.position, *(facts.get(name, "") for name in names), _one_line(error, 60))


def _one_line(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _shown(name: str, value: object) -> object:
    if isinstance(value, int) and name in ("first_failed_at", "last_failed_at", "origin_timestamp"):
        return dt.datetime.fromtimestamp(value / 1000, dt.UTC).isoformat(timespec="milliseconds")
    return value


def _payload(letter: DeadLetter) -> dict[str, Any]:
    return {
        "key": _text(letter.key),
        "headers": [[name, _text(content)] for name, content in letter.original_headers],
        "value": _text(letter.value),
    }


def _text(content: bytes | None) -> str | None:
    """Text where it is text, else Base64, and said so."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(content).decode()}"


async def _all(settings: ClientSettings, source: str | None) -> list[DeadLetter]:
    async with LogReader(settings) as reader:
        return [letter async for letter in _letters(reader, settings.app_id, source)]


async def _letters(reader: LogReader, app_id: str, source: str | None) -> AsyncIterator[DeadLetter]:
    for each in [source] if source else sources_of(app_id, await reader.topics()):
        async for letter in letters_of(reader, app_id, each):
            yield letter


async def _find(settings: ClientSettings, named: tuple[str, ...]) -> DeadLetter:
    """The letter at a place, or the newest of a job."""
    found: DeadLetter | None = None
    async with LogReader(settings) as reader:
        if len(named) == 1:
            async for letter in _letters(reader, settings.app_id, None):
                if letter.job_id == named[0]:
                    found = letter
        else:
            found = await _at(reader, settings.app_id, named)
    if found is None:
        raise click.ClickException(
            f"no dead letter {' '.join(named)}; `headrace dlq list` shows those there are"
        )
    return found


async def _at(reader: LogReader, app_id: str, named: tuple[str, ...]) -> DeadLetter | None:
    if len(named) != 3 or not (named[1].isdigit() and named[2].isdigit()):
        raise click.UsageError("name a letter by its job id, or by topic, partition and offset")
    for source in sources_of(app_id, await reader.topics()):
        topic = dlq_topic(app_id, source)
        if named[0] in (topic, source):
            record = await reader.record_at(topic, int(named[1]), int(named[2]))
            return None if record is None else letter_of(record, source)
    return None


async def _redrive(settings: ClientSettings, letter: DeadLetter, command_id: str) -> Any:
    # Headers of ours came on top of a record that was allowed before: the topic decides.
    sender = Sender(settings, max_message_bytes=16 << 20, timeout_seconds=30)
    await sender.start()
    try:
        return await sender.send(redrive_record(letter, app_id=settings.app_id, command_id=command_id))
    finally:
        await sender.stop()
