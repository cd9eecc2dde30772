"""`headrace gateway`: jobs and events over HTTP; and `headrace gateway keys new`, which makes an API key."""

import importlib.metadata
import sys

import click

from consumers.cli.output import print_json
from events.errors import InvalidSettings
from events.gateway.keys import Scope, new_key


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Serve jobs and events over HTTP until told to stop."""
    if context.invoked_subcommand is not None:
        return
    from consumers.engine.connection import mend_connections
    from consumers.telemetry.logs import configure
    from events.gateway.app import create_app
    from events.gateway.server import serve
    from events.gateway.settings import GatewaySettings
    from events.status.ingest_process import IngestProcess
    from events.status.reader import StatusReader
    from events.status.settings import StatusSettings

    settings = GatewaySettings()
    configure(settings)
    mend_connections()
    folder = settings.gateway_state_dir
    feed = IngestProcess([sys.executable, "-m", "consumers.cli.gateway_ingest"], folder)
    status = StatusReader(StatusSettings(status_dir=folder), feed=feed)
    status.open()
    serve(create_app(settings, status=status, version=importlib.metadata.version("headrace")), settings)


@command.group()
def keys() -> None:
    """API keys of the gateway."""


@keys.command("new")
@click.option("--scopes", default="read", show_default=True, help="Of read, submit and operate, with commas.")
@click.option("--id", "key_id", help="What logs call its holder; random unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new_command(scopes: str, key_id: str | None, as_json: bool) -> None:
    """Make a key: printed once, with the line that lets it in.

    Put the line into HEADRACE_GATEWAY_API_KEYS (several with commas between them), or into the file of
    HEADRACE_GATEWAY_API_KEYS_FILE, one a line.
    """
    try:
        wanted = [Scope(scope.strip()) for scope in scopes.split(",")]
        secret, key = new_key(wanted, id=key_id)
    except ValueError as error:
        raise InvalidSettings(str(error)) from None
    if as_json:
        print_json({"id": key.id, "key": secret, "line": key.line})
        return
    click.echo(f"key   {secret}")
    click.echo(f"line  {key.line}")
    click.echo("The key is shown this once; the line holds its hash only.", err=True)
