"""A worker or the gateway of the demo: the real command in a process of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from consumers.demo.errors import WorkerEnded
from events.broker.ports import free_port

HEADRACE: Final = (sys.executable, "-c", "from consumers.cli import main; main()")
HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1
# How to reach Kafka is the person's to say; everything else of a demo worker is the demo's.
_PASSED_ON: Final = ("HEADRACE_SECURITY_", "HEADRACE_SASL_", "HEADRACE_SSL_")


class HeadraceProcess:
    """Start it, wait until it is ready, read its metrics, stop it."""

    def __init__(
        self, command: str, *, name: str, folder: Path, port: int, settings: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.url = f"http://{HOST}:{port}"
        self._command = command
        self._environment = environment_of({**settings, "HEADRACE_LOG_FORMAT": "json"})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process. A session of its own: Ctrl-C is for the demo, which then stops it in order."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*HEADRACE, self._command],
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Return when it takes jobs. Raises WorkerEnded when it ended, or is not ready in time."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers("/health/ready"):
            self.check()
            if time.monotonic() > deadline:
                raise WorkerEnded(f"{self.name} is not ready after {READY_SECONDS:g} s; see {self.log}")
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise WorkerEnded unless it runs."""
        if self._process is None or self._process.poll() is not None:
            code = "never started" if self._process is None else f"exit code {self._process.returncode}"
            raise WorkerEnded(f"{self.name} ended ({code}). The end of {self.log}:\n{self._log_tail()}")

    def metrics(self) -> str:
        """Its metrics as text; empty when it does not answer now."""
        return self._get("/metrics")

    def stop(self) -> None:
        """Let it finish what runs, and end it by force when it does not. Safe twice."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask_to_stop(self) -> None:
        """Send the request only, so that several workers stop side by side."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _answers(self, path: str) -> bool:
        return bool(self._get(path))

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            return ""

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else "(nothing)"


class WorkerProcess(HeadraceProcess):
    """One worker."""

    def __init__(self, *, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        port = free_port()
        own = {
            "HEADRACE_STATE_DIR": str(folder / name),
            "HEADRACE_HOST": HOST,
            "HEADRACE_PORT": str(port),
            "HEADRACE_WORKER_NAME": name,
        }
        super().__init__("worker", name=name, folder=folder, port=port, settings={**settings, **own})


class GatewayProcess(HeadraceProcess):
    """The gateway, without keys: it listens on this machine alone."""

    def __init__(self, *, folder: Path, settings: Mapping[str, str], port: int | None) -> None:
        port = port or free_port()
        own = {
            "HEADRACE_GATEWAY_HOST": HOST,
            "HEADRACE_GATEWAY_PORT": str(port),
            "HEADRACE_GATEWAY_STATE_DIR": str(folder / "gateway"),
        }
        super().__init__("gateway", name="gateway", folder=folder, port=port, settings={**settings, **own})

    def counts(self) -> dict[str, int]:
        """How many jobs are in which state, as it tells everybody; empty when it does not answer now."""
        text = self._get("/overview")
        return {} if not text else {str(state): int(n) for state, n in json.loads(text)["states"].items()}


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the demo: that of this one, without its settings of Headrace."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HEADRACE_") or name.startswith(_PASSED_ON)
    }
    return {**kept, **settings}
