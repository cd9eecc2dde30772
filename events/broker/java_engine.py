"""Kafka as a Java process of its own session, so that it outlives the command that started it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from events.broker import process
from events.broker.engine import Plan
from events.broker.java import find_java, resolve_jars
from events.broker.server_properties import as_text, server_properties
from events.broker.settings import BrokerSettings
from events.errors import BrokerNotStarted, LocalBrokerError

STOP_GRACE_SECONDS = 20.0
TOOL_TIMEOUT_SECONDS = 120
TAIL_BYTES = 3000


class JavaEngine:
    """Runs Kafka's jars. The handle is the process id."""

    def __init__(self, *, folder: Path, settings: BrokerSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._properties = folder / "server.properties"
        self._log = folder / "broker.log"

    @property
    def _mark(self) -> str:
        return str(self._properties)

    def start(self, plan: Plan) -> str:
        java = self._java("-Xms256m", f"-Xmx{self._settings.broker_heap}", "-XX:+ExitOnOutOfMemoryError")
        self._write_properties(plan)
        self._format(plan)
        return str(self._spawn([*java, "kafka.Kafka", self._mark]))

    def alive(self, handle: str) -> bool:
        return handle.isdecimal() and process.is_ours(int(handle), self._mark)

    def stop(self, handle: str) -> None:
        if self.alive(handle):
            process.end(int(handle), grace_seconds=STOP_GRACE_SECONDS)

    def kill(self, handle: str) -> None:
        if self.alive(handle):
            process.kill(int(handle), grace_seconds=STOP_GRACE_SECONDS)

    def freeze(self, handle: str) -> None:
        if self.alive(handle):
            process.send(int(handle), signal.SIGSTOP)

    def thaw(self, handle: str) -> None:
        if self.alive(handle):
            process.send(int(handle), signal.SIGCONT)

    def log_tail(self, handle: str) -> str:
        try:
            return self._log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    def run_tool(self, handle: str, main_class: str, arguments: Sequence[str]) -> str:
        command = [*self._java("-Xmx256m"), main_class, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TOOL_TIMEOUT_SECONDS
        )
        if done.returncode != 0:
            raise LocalBrokerError(f"{main_class} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def erase(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _java(self, *options: str) -> list[str]:
        jars = resolve_jars(self._settings.broker_cache)
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        return [find_java(self._settings.java_home), *options, quiet, "-cp", f"{jars}/*"]

    def _write_properties(self, plan: Plan) -> None:
        properties = server_properties(
            port=plan.record.port,
            controller_port=plan.record.controller_port,
            logs=self._folder / "logs",
            overrides=plan.overrides,
        )
        self._properties.write_text(as_text(properties))

    def _format(self, plan: Plan) -> None:
        formatted = self._folder / "formatted"
        if formatted.exists():
            return
        # Left by a format that was cut off.
        shutil.rmtree(self._folder / "logs", ignore_errors=True)
        storage = ["format", "--standalone", "-t", plan.record.cluster_id, "-c", self._mark]
        try:
            self.run_tool("", "kafka.tools.StorageTool", storage)
        except LocalBrokerError as error:
            raise BrokerNotStarted(f"Kafka could not prepare {self._folder}: {error}") from error
        formatted.touch()

    def _spawn(self, command: list[str]) -> int:
        write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self._log), write, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
        process.appeared(pid, self._mark, within_seconds=STOP_GRACE_SECONDS)
        return pid
