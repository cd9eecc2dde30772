"""Everything the play needs around it: folder, Kafka, topics, servers, two workers, the gateway.

Started in order, and stopped in the opposite one, however the play ends.
"""

import asyncio
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.demo.airline_stub import AirlineStub
from consumers.demo.errors import DemoError
from consumers.demo.mail_stub import MailStub
from consumers.demo.manifest_file import CHUNK_BYTES, CHUNKS_PER_JOB
from consumers.demo.programme import TOPIC
from consumers.demo.tally import holds_records
from consumers.demo.worker_process import (
    HEADRACE,
    GatewayProcess,
    HeadraceProcess,
    WorkerProcess,
    environment_of,
)
from events.broker import LocalBroker
from events.settings import ClientSettings

WORKERS: Final = ("worker-1", "worker-2")
TASK_MODULES: Final = "consumers.tasks,consumers.demo.tasks"
_MARK: Final = ".headrace-demo"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the play uses."""

    folder: Path
    client: ClientSettings
    mail: MailStub
    airlines: AirlineStub
    workers: tuple[WorkerProcess, ...]
    gateway: GatewayProcess

    @property
    def reports(self) -> Path:
        return self.folder / "data" / "reports"


@contextmanager
def stage(folder: Path, say: Say, gateway_port: int | None = None) -> Iterator[Stage]:
    """Build the stage; the gateway listens on any free port unless one is given.

    Raises DemoError, and EventsError when there is no Kafka to be had.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        with ExitStack() as stack:
            try:
                yield _build(clear(folder), stack, say, gateway_port)
            finally:
                # A second Ctrl-C must not leave processes behind; every step of stopping has its bound.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGINT, before)


def _build(folder: Path, stack: ExitStack, say: Say, gateway_port: int | None) -> Stage:
    client = _kafka(folder, stack, say)
    mail, airlines = MailStub(), AirlineStub()
    mail.start()
    stack.callback(mail.stop)
    airlines.start()
    stack.callback(airlines.stop)
    settings = _settings(folder, client, mail, airlines)
    _apply_topics(settings, say)
    workers = tuple(WorkerProcess(name=name, folder=folder, settings=settings) for name in WORKERS)
    gateway = GatewayProcess(folder=folder, settings=settings, port=gateway_port)
    processes = (*workers, gateway)
    stack.callback(_stop, processes)
    say(f"Starting {len(workers)} workers and the gateway")
    for process in processes:
        process.start()
    for process in processes:
        process.wait_ready()
    say(f"Look at every job: {gateway.url}")
    return Stage(folder=folder, client=client, mail=mail, airlines=airlines, workers=workers, gateway=gateway)


def clear(folder: Path) -> Path:
    """An empty folder of the demo's own. Raises DemoError for one that holds something else."""
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise DemoError(f"{folder} is not empty and not the demo's: name another with --folder")
        _stop_left_over(folder / "broker")
        shutil.rmtree(folder)
    (folder / "data" / "reports").mkdir(parents=True)
    (folder / _MARK).touch()
    return folder


def _stop_left_over(data: Path) -> None:
    """A demo that was killed leaves its Kafka; its folder knows which process that is."""
    if data.exists():
        from events.broker.record import BrokerRecord

        record = BrokerRecord.load(data)
        if record is not None:
            LocalBroker(port=record.port, data_dir=data).erase()


def _kafka(folder: Path, stack: ExitStack, say: Say) -> ClientSettings:
    app_id = f"demo-{uuid.uuid4().hex[:6]}"
    given = ClientSettings()
    if "bootstrap_servers" in given.model_fields_set:
        say(f"Using the Kafka at {given.bootstrap_servers} (HEADRACE_BOOTSTRAP_SERVERS)")
        client = given.model_copy(update={"app_id": app_id})
        if asyncio.run(holds_records(client)):
            raise DemoError(
                f"The topic {TOPIC} at {given.bootstrap_servers} holds events already: nothing would add up. "
                "Unset HEADRACE_BOOTSTRAP_SERVERS: the demo then starts a Kafka of its own."
            )
        return client
    say("Starting Kafka (the first time it is fetched)")
    broker = LocalBroker(data_dir=folder / "broker")
    stack.callback(_erase, broker)
    broker.start()
    return ClientSettings(bootstrap_servers=broker.bootstrap_servers, app_id=app_id)


def _erase(broker: LocalBroker) -> None:
    broker.erase()
    shutil.rmtree(broker.data_dir, ignore_errors=True)


def _settings(folder: Path, client: ClientSettings, mail: MailStub, airlines: AirlineStub) -> dict[str, str]:
    return {
        "HEADRACE_BOOTSTRAP_SERVERS": client.bootstrap_servers,
        "HEADRACE_APP_ID": client.app_id,
        "HEADRACE_TASK_MODULES": TASK_MODULES,
        # A laptop that does ten other things shall not look like a worker that died.
        "HEADRACE_SESSION_TIMEOUT_SECONDS": "30",
        "HEADRACE_DRAIN_SECONDS": "10",
        "HEADRACE_TASKS_DATA_DIR": str(folder / "data"),
        "HEADRACE_TASKS_SMTP_HOST": "127.0.0.1",
        "HEADRACE_TASKS_SMTP_PORT": str(mail.port),
        "HEADRACE_TASKS_WEBHOOK_URL": airlines.url,
        "HEADRACE_TASKS_CHUNK_BYTES": str(CHUNK_BYTES),
        "HEADRACE_TASKS_CHUNKS_PER_JOB": str(CHUNKS_PER_JOB),
    }


def _apply_topics(settings: dict[str, str], say: Say) -> None:
    say("Creating the topics: headrace topics apply")
    done = subprocess.run(
        [*HEADRACE, "topics", "apply"],
        env=environment_of(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"headrace topics apply failed:\n{done.stderr.strip()}")


def _stop(processes: tuple[HeadraceProcess, ...]) -> None:
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
