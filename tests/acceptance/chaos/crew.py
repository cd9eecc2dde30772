"""Three workers and what is done to them: lives that end by SIGKILL and SIGTERM, and freezes in between."""

import asyncio
import math
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.chaos.raw_log import FOLDER, WORKER, Progress
from tests.integration.task_worker import TaskWorker

SESSION_SECONDS = 6
STOP_SECONDS = 90


@dataclass
class Life:
    """One process of a worker. `stopped_at` is when an orderly stop was over."""

    name: str
    progress: Progress
    killed_at: float | None = None
    told_to_stop_at: float | None = None
    stopped_at: float | None = None
    freezes: list[tuple[float, float]] = field(default_factory=list)


class CrewMember:
    """A worker that is started again after each end."""

    def __init__(self, name: str, bootstrap_servers: str, app_id: str, folder: Path, *, static: bool) -> None:
        self.name = name
        self.lives: list[Life] = []
        self.out = False  # something was done to it that is not over
        self._folder = folder / name
        self._raw_logs = folder / "raw"
        self._folder.mkdir(parents=True)
        settings = {
            "HEADRACE_TASK_MODULES": "tests.acceptance.chaos.tasks",
            "HEADRACE_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            "HEADRACE_DEFAULT_PARTITIONS": "6",
            "HEADRACE_JOBS_PARTITIONS": "4",
            FOLDER: str(self._raw_logs),
        }
        if static:
            settings["HEADRACE_INSTANCE_ID"] = f"{app_id}-{name}"
        self.worker = TaskWorker(bootstrap_servers, app_id, self._folder, settings, measured=False)

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def log(self) -> Path:
        return self._folder / "worker.log"

    async def launch(self) -> None:
        name = f"{self.name}-{len(self.lives) + 1}"
        self.worker.settings[WORKER] = name
        self.lives.append(Life(name, Progress(self._raw_logs / f"{name}.log")))
        await self.worker.launch()

    def died(self) -> str | None:
        """Why nobody's fault ended it; None while all is well."""
        process = self.worker.process
        if self.out or process is None or process.returncode is None:
            return None
        return f"{self.life.name} ended by itself with {process.returncode}, see {self.log}"

    def running(self) -> int:
        """Attempts that have begun and not ended."""
        self.life.progress.look()
        return self.life.progress.running

    async def kill(self) -> int:
        """Returns how many attempts it cut off."""
        self.life.killed_at = time.time()
        await self.worker.kill()
        return self.running()

    def freeze(self) -> int:
        """Stop its clock. Returns how many attempts stand still."""
        process = self.worker.process
        assert process is not None
        self.life.freezes.append((time.time(), math.inf))
        process.send_signal(signal.SIGSTOP)
        return self.running()

    def thaw(self) -> None:
        process = self.worker.process
        assert process is not None
        began, _ = self.life.freezes.pop()
        self.life.freezes.append((began, time.time()))
        process.send_signal(signal.SIGCONT)

    def tell_to_stop(self) -> int:
        """Returns how many attempts ran."""
        process = self.worker.process
        assert process is not None
        self.life.told_to_stop_at = time.time()
        process.terminate()
        return self.running()

    async def stopped(self) -> None:
        """Return when it has stopped in good order. Raises AssertionError."""
        process = self.worker.process
        assert process is not None
        code = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        self.life.stopped_at = time.time()
        assert code == 0, f"{self.life.name} stopped with {code} after SIGTERM, see {self.log}"

    def lose_disk(self) -> None:
        shutil.rmtree(self._folder / "state", ignore_errors=True)
