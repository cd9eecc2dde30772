"""`headrace broker up|down|status`: a Kafka on this machine."""

from pathlib import Path

import click

from consumers.cli.output import print_json
from events.broker import BrokerSettings, LocalBroker
from events.broker.ready import answers
from events.errors import BrokerUnreachable
from events.settings import ClientSettings

port_option = click.option("--port", type=click.IntRange(1, 65535), help="Its port [default: 9092].")
data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of its data [default: .headrace/broker-PORT].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """A Kafka on this machine, for development and tests.

    Runs apache/kafka when a Docker engine answers, else Kafka's jars with Java 17+ and Maven.
    With HEADRACE_BOOTSTRAP_SERVERS set and no --port, that Kafka is used and nothing is started.
    """


@command.command()
@port_option
@data_option
@json_option
def up(port: int | None, data: Path | None, as_json: bool) -> None:
    """Start it, and wait until clients are answered. Does nothing when it runs."""
    given = _given(port)
    if given is not None:
        _check_given(given)
        _tell({"state": "given", "bootstrap_servers": given.bootstrap_servers}, as_json=as_json)
        return
    broker = _broker(port, data).start()
    _tell(broker.status().as_json(), as_json=as_json)


@command.command()
@port_option
@data_option
@json_option
def down(port: int | None, data: Path | None, as_json: bool) -> None:
    """Stop it. Its data stay; nothing of it runs afterwards."""
    given = _given(port)
    if given is not None:
        _tell({"state": "given", "bootstrap_servers": given.bootstrap_servers}, as_json=as_json)
        return
    broker = _broker(port, data)
    broker.stop()
    left = broker.status()
    if left.state == "stopped" and not as_json:
        click.echo(f"Stopped: no broker runs at {left.bootstrap_servers}. Data stay in {left.data_dir}.")
        return
    _tell(left.as_json(), as_json=as_json)


@command.command()
@port_option
@data_option
@json_option
def status(port: int | None, data: Path | None, as_json: bool) -> None:
    """Say how it is. Exit code 1 unless clients are answered."""
    given = _given(port)
    if given is not None:
        _check_given(given)
        _tell({"state": "given", "bootstrap_servers": given.bootstrap_servers}, as_json=as_json)
        return
    found = _broker(port, data).status()
    _tell(found.as_json(), as_json=as_json)
    if found.state != "running":
        raise SystemExit(1)


def _broker(port: int | None, data: Path | None) -> LocalBroker:
    settings = BrokerSettings()
    return LocalBroker(port=port or settings.broker_port, data_dir=data, settings=settings)


def _given(port: int | None) -> ClientSettings | None:
    """The settings of the Kafka the environment names, when no port asks for a local one."""
    settings = ClientSettings()
    return settings if port is None and "bootstrap_servers" in settings.model_fields_set else None


def _check_given(settings: ClientSettings) -> None:
    if not answers(settings.bootstrap_servers, arguments=settings.kafka_arguments()):
        raise BrokerUnreachable(
            f"No Kafka answers at HEADRACE_BOOTSTRAP_SERVERS={settings.bootstrap_servers}. "
            "Start it or correct the address; unset it, or give --port, for a local broker."
        )


def _tell(state: dict[str, str | None], *, as_json: bool) -> None:
    if as_json:
        print_json(state)
        return
    address = state["bootstrap_servers"]
    match state["state"]:
        case "given":
            click.echo(f"HEADRACE_BOOTSTRAP_SERVERS={address} is used; no local broker is touched.")
        case "running":
            click.echo(f"Kafka answers at {address} ({state['engine']}, data in {state['data_dir']}).")
        case "silent":
            click.echo(f"Kafka at {address} is there ({state['handle']}) but does not answer.")
        case _:
            click.echo(f"No broker runs at {address}; `headrace broker up` starts one.")
