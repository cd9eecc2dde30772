"""A Kafka on this machine for development and tests, one per port and data folder.

start: already there? → port free? → engine → run → wait until a client gets metadata.
Data survive stop and kill; `erase` drops them.
"""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from events.broker.engine import Engine, EngineName, Plan
from events.broker.engines import engine_for, pick_engine
from events.broker.ports import free_port, port_holder, port_taken
from events.broker.ready import answers
from events.broker.record import BrokerRecord
from events.broker.server_properties import HOST
from events.broker.settings import BrokerSettings
from events.errors import BrokerNotStarted, LocalBrokerError, PortInUse

POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class BrokerStatus:
    """What is known of a broker: `running` answers clients, `silent` lives but does not answer."""

    state: Literal["running", "silent", "stopped"]
    bootstrap_servers: str
    data_dir: str
    engine: EngineName | None
    handle: str | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class LocalBroker:
    """One broker. Every call is safe to repeat; nothing runs before `start`."""

    def __init__(
        self,
        *,
        port: int | None = None,
        data_dir: Path | str | None = None,
        overrides: Mapping[str, str] | None = None,
        client_arguments: Mapping[str, Any] | None = None,
        settings: BrokerSettings | None = None,
    ) -> None:
        """`overrides` are lines of server.properties; `client_arguments` what a client then needs."""
        self.settings = settings or BrokerSettings()
        self.port = port or free_port()
        self.data_dir = Path(data_dir or self.settings.data_dir(self.port)).resolve()
        self.overrides = dict(overrides or {})
        self._client_arguments = client_arguments

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients."""
        return f"{HOST}:{self.port}"

    def start(self) -> Self:
        """Start it and wait until clients are answered.

        Raises ToolMissing, JarsUnavailable, PortInUse or BrokerNotStarted.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self._only_one():
            record = self._running()
            if record is None:
                record = self._launch()
            self._wait_ready(record)
        return self

    def stop(self) -> None:
        """Shut it down cleanly, by force when it does not obey."""
        self._apply(lambda engine, handle: engine.stop(handle))

    def kill(self) -> None:
        """End it as a power cut would."""
        self._apply(lambda engine, handle: engine.kill(handle))

    def restart(self) -> Self:
        """Stop and start on the same data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Stop its clock: clients stay connected and hear nothing."""
        self._apply(lambda engine, handle: engine.freeze(handle))

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        self._apply(lambda engine, handle: engine.thaw(handle))

    def erase(self) -> None:
        """Stop it and drop its data."""
        self.stop()
        record = BrokerRecord.load(self.data_dir)
        if record is not None:
            self._engine(record.engine).erase()

    def status(self) -> BrokerStatus:
        """How it is now."""
        record = self._running()
        state: Literal["running", "silent", "stopped"] = "stopped"
        if record is not None:
            state = "running" if self._answers() else "silent"
        return BrokerStatus(
            state=state,
            bootstrap_servers=self.bootstrap_servers,
            data_dir=str(self.data_dir),
            engine=record.engine if record else None,
            handle=record.handle if record else None,
        )

    def run_tool(self, main_class: str, *arguments: str) -> str:
        """Output of one of Kafka's own Java tools. Raises LocalBrokerError when it fails."""
        record = self._running()
        if record is None:
            raise LocalBrokerError(f"No broker runs on port {self.port}; `headrace broker up` starts one.")
        return self._engine(record.engine).run_tool(record.handle, main_class, arguments)

    def _apply(self, action: Callable[[Engine, str], None]) -> None:
        record = self._running()
        if record is not None:
            action(self._engine(record.engine), record.handle)

    def _running(self) -> BrokerRecord | None:
        record = BrokerRecord.load(self.data_dir)
        if record is None or not self._engine(record.engine).alive(record.handle):
            return None
        if record.port != self.port:
            raise PortInUse(
                f"{self.data_dir} belongs to a broker that runs on port {record.port}: "
                f"`headrace broker down --port {record.port} --data {self.data_dir}`, or another --data."
            )
        return record

    def _launch(self) -> BrokerRecord:
        if port_taken(self.port):
            raise PortInUse(
                f"Port {self.port} is in use by: {port_holder(self.port)}\n"
                "Stop that program, or choose another port with --port."
            )
        record = self._next_record()
        plan = Plan(record=record, folder=self.data_dir, overrides=self.overrides)
        handle = self._engine(record.engine).start(plan)
        record = record.model_copy(update={"handle": handle})
        record.save(self.data_dir)
        return record

    def _next_record(self) -> BrokerRecord:
        known = BrokerRecord.load(self.data_dir)
        if known is not None:
            # Kafka follows a moved controller, but a kept one starts seconds faster.
            controller_port = free_port() if port_taken(known.controller_port) else known.controller_port
            changes = {"port": self.port, "controller_port": controller_port, "handle": ""}
            return known.model_copy(update=changes)
        record = BrokerRecord(port=self.port, controller_port=free_port(), engine=pick_engine(self.settings))
        record.save(self.data_dir)
        return record

    def _wait_ready(self, record: BrokerRecord) -> None:
        engine = self._engine(record.engine)
        deadline = time.monotonic() + self.settings.broker_ready_seconds
        while not self._answers():
            alive = engine.alive(record.handle)
            if alive and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                continue
            tail = engine.log_tail(record.handle) or "(nothing)"
            what = "gave no metadata in time" if alive else "ended while starting"
            engine.stop(record.handle)
            raise BrokerNotStarted(f"Kafka on port {self.port} {what}. It wrote ({self.data_dir}):\n{tail}")

    def _answers(self) -> bool:
        return answers(self.bootstrap_servers, arguments=self._client_arguments)

    def _engine(self, name: EngineName) -> Engine:
        return engine_for(name, folder=self.data_dir, settings=self.settings)

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        with (self.data_dir / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
