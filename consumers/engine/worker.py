"""A worker process from boot to exit: the composition root, and the order in which things start and stop.

Whatever can be refused is refused before anything connects to the group; a stop is bounded, whatever hangs.
"""

import asyncio
import faulthandler
import inspect
import os
import signal
import sys
import threading
from typing import Any, Final

import structlog
import uvloop

from consumers.engine import fault_points
from consumers.engine.allocator import fix_thresholds
from consumers.engine.connection import mend_connections
from consumers.engine.machinery import Machinery
from consumers.registry import Registry
from consumers.settings import WorkerSettings
from consumers.sources import sources_of
from consumers.telemetry.health import Health, WorkerState
from consumers.telemetry.server import HealthServer
from consumers.telemetry.telemetry import Telemetry
from events.errors import BrokerUnreachable
from events.header_names import mend_header_names
from events.provision import prepare_sources
from events.topics import Source

log = structlog.get_logger()

HARD_EXIT_GRACE_SECONDS: Final = 5.0
BOOT_RETRY_SECONDS: Final = 2.0
EXIT_STUCK: Final = 70


def run(settings: WorkerSettings, registry: Registry) -> int:
    """Run a worker until it is told to stop; returns the exit code."""
    faulthandler.enable()  # should a library of ours not written in Python crash: where, on standard error
    fix_thresholds()
    mend_connections()
    mend_header_names()
    fault_points.arm(os.environ.get("HEADRACE_FAULT_POINT"))
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # for the consumer's thread too
    with asyncio.Runner() as runner:
        return runner.run(Worker(settings=settings, registry=registry).serve())


class Worker:
    """One worker process."""

    def __init__(self, *, settings: WorkerSettings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.state: dict[str, Any] = {}
        self.health = Health()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._machinery: Machinery | None = None

    async def serve(self) -> int:
        """Boot, work, stop. Returns 0 after an orderly stop, 1 after a failure."""
        self._listen_to_signals()
        sources = sources_of(self.settings, self.registry)
        self.telemetry = Telemetry(
            tasks=self.registry.tasks,
            sources=[topic for source in sources for topic in source.topics],
            release=self.settings.release,
            slots=self.settings.max_jobs,
        )
        server = HealthServer(
            host=self.settings.host,
            port=self.settings.port,
            registry=self.telemetry.registry,
            health=self.health,
        )
        server.start()
        log.info(
            "worker_starting",
            name=self.settings.worker_name,
            port=server.port,
            tasks=len(self.registry.tasks),
        )
        try:
            booted = await self._unless_stopped(self._boot(sources))
            if booted:
                await self._stop.wait()
        except Exception as error:
            self.crashed(error)
        finally:
            await self._shut_down()
            server.stop()
        return 0 if self._failure is None else 1

    # -- starting

    async def _boot(self, sources: tuple[Source, ...]) -> None:
        ready = await self._prepare(sources)
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        for hook in self.registry.startup:
            outcome = hook(self.state)
            if inspect.isawaitable(outcome):
                await outcome
        self._machinery = Machinery(
            settings=self.settings,
            registry=self.registry,
            sources=ready,
            telemetry=self.telemetry,
            state=self.state,
            crashed=self.crashed,
        )
        await self._machinery.start(self.health)

    async def _prepare(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        """The sources that may run, with their partition counts. Waits for a Kafka that is not there yet."""
        while True:
            try:
                settled, problems = await prepare_sources(
                    self.settings, sources, create=self.settings.topics_auto_apply
                )
                break
            except BrokerUnreachable as error:
                log.warning("kafka_unreachable", error=str(error), again_in_seconds=BOOT_RETRY_SECONDS)
                await asyncio.sleep(BOOT_RETRY_SECONDS)
        for problem in problems:
            log.error("source_refused", source=problem.source, error=problem.message)
        refused = {problem.source for problem in problems}
        return tuple(source for source in settled if source.name not in refused)

    def crashed(self, error: BaseException | None) -> None:
        """Something of ours is broken: stop, and let whoever runs the worker start it again."""
        if self._failure is None and error is not None and not self._stop.is_set():
            self._failure = error
            log.error("worker_failed", error=str(error), exc_info=error)
        self._stop.set()

    async def _unless_stopped(self, work: Any) -> bool:
        """Do `work`, but stop waiting for it when the worker is told to stop. Returns whether it was done."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
            return False
        task.result()
        return True

    # -- stopping

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop, number)

    def _told_to_stop(self, number: int) -> None:
        if self._stop.is_set() and number == signal.SIGINT:
            os._exit(130)
        log.info("worker_stopping", signal=signal.Signals(number).name)
        self._stop.set()

    async def _shut_down(self) -> None:
        """Let running jobs end within the drain time, settle, commit, leave the group; then exit whatever
        hangs."""
        self.health.state = WorkerState.DRAINING
        deadline = threading.Timer(
            self.settings.drain_seconds + HARD_EXIT_GRACE_SECONDS, lambda: os._exit(EXIT_STUCK)
        )
        deadline.daemon = True
        deadline.start()
        if self._machinery is not None:
            await self._machinery.drain(self.settings.drain_seconds)
            await self._machinery.stop()
        for hook in self.registry.shutdown:
            try:
                outcome = hook(self.state)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                log.exception("on_shutdown_failed", hook=getattr(hook, "__qualname__", repr(hook)))
        self.telemetry.flush()
        log.info("worker_stopped")
        if threading.active_count() > 3 and _has_task_threads():
            sys.stdout.flush()
            os._exit(0 if self._failure is None else 1)
        deadline.cancel()


def _has_task_threads() -> bool:
    return any(thread.name.startswith("task") and thread.is_alive() for thread in threading.enumerate())
