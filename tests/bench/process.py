"""One contender at work: a process started, watched through its tally, ended by its pid."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.bench.contest import Contender
from tests.bench.tally import read_tally

POLL_SECONDS = 0.1
STOP_SECONDS = 30
LOG_TAIL_CHARACTERS = 1500


class WorkerFailed(RuntimeError):
    """The contender ended, or did not finish in time; the message holds the end of its log."""


class WorkerProcess:
    """Starts on entering, stops on leaving. `folder` holds its log and its tally."""

    def __init__(self, *, contender: Contender, environment: dict[str, str], folder: Path) -> None:
        self._contender = contender
        self._environment = os.environ | environment
        self._log = folder / "worker.log"
        self._tally = folder / "tally"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._contender.command, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tally(self) -> list[tuple[int, int]]:
        return read_tally(self._tally)

    def wait(self, reached: Callable[[list[tuple[int, int]]], bool], *, within_seconds: float) -> None:
        """Until the tally says so. Raises WorkerFailed when the process ends or the time is over."""
        deadline = time.monotonic() + within_seconds
        while not reached(self.tally()):
            self.check_alive()
            if time.monotonic() > deadline:
                raise self._failed(f"was not done within {within_seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def check_alive(self) -> None:
        """Raises WorkerFailed when the process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise self._failed(f"ended by itself with code {self._process.returncode}")

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_megabytes(self) -> float:
        """The most memory it held at once."""
        for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _failed(self, what: str) -> WorkerFailed:
        lines = self._log.read_text(errors="replace").splitlines()
        tail = "\n".join(line for line in lines if "task_" not in line)[-LOG_TAIL_CHARACTERS:]
        return WorkerFailed(f"{self._contender.name} {what}. Its log ends:\n{tail}")
