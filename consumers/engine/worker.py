"""A worker process from boot to exit: the composition root, and the order in which things start and stop.

Whatever can be refused is refused before anything connects to the group; a stop is bounded, whatever hangs.
"""

import asyncio
import gc
import inspect
import os
import signal
import sys
import threading
from typing import Any, Final

import structlog
import uvloop
from aiokafka import AIOKafkaProducer

from consumers.engine import fault_points
from consumers.engine.app import new_app
from consumers.engine.assembly import Assembly
from consumers.engine.connection import mend_connections
from consumers.engine.engine import Engine
from consumers.engine.execution import Execution
from consumers.engine.intake import Intake
from consumers.engine.outbox import Outbox
from consumers.engine.runners import Runners
from consumers.engine.sending import Sending
from consumers.engine.store import SharedMemory, now_ms
from consumers.engine.watchdog import watch_clients
from consumers.registry import Registry
from consumers.settings import WorkerSettings
from consumers.sources import sources_of
from consumers.telemetry.health import Health, WorkerState
from consumers.telemetry.server import HealthServer
from consumers.telemetry.telemetry import Telemetry
from events.errors import BrokerUnreachable
from events.header_names import mend_header_names
from events.provision import prepare_sources
from events.topics import Source, commands_topic, ledger_topic, retry_topic

log = structlog.get_logger()

STATE_BATCH_BYTES: Final = 512 << 10
FENCE_AGAIN_SECONDS: Final = 3600.0
HARD_EXIT_GRACE_SECONDS: Final = 5.0
BOOT_RETRY_SECONDS: Final = 2.0
EXIT_STUCK: Final = 70
GARBAGE_THRESHOLD: Final = 50_000


def run(settings: WorkerSettings, registry: Registry) -> int:
    """Run a worker until it is told to stop; returns the exit code."""
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
        self._background: list[asyncio.Task[Any]] = []

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
        self._assemble(ready)
        _calm_garbage_collector()
        await self.outbox.start()
        await self.state_producer.start()
        self._spawn(self.runners.watch())
        self._spawn(self._beat())
        self._spawn(watch_clients(self.app, self._producers))
        self._spawn(self._fence_again())
        self._spawn(self.app.start())

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

    def _assemble(self, sources: tuple[Source, ...]) -> None:
        settings = self.settings
        self.outbox = Outbox(settings)
        self.state_producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap_servers,
            client_id=f"{settings.app_id}-state",
            acks="all",
            linger_ms=0,
            max_batch_size=STATE_BATCH_BYTES,
            compression_type="zstd",
            **settings.kafka_arguments(),
        )
        self.runners = Runners(max_jobs=settings.max_jobs, detach_after_seconds=settings.detach_after_seconds)
        sending = Sending(outbox=self.outbox, app_id=settings.app_id)
        self.runners.execution = Execution(
            registry=self.registry,
            telemetry=self.telemetry,
            sending=sending,
            state=self.state,
            now_ms=now_ms,
            threads=settings.thread_pool_size,
        )
        assembly = Assembly(
            settings=settings,
            registry=self.registry,
            sources=sources,
            telemetry=self.telemetry,
            outbox=self.outbox,
            sending=sending,
            state_producer=self.state_producer,
            runners=self.runners,
            execution=self.runners.execution,
        )
        self.runners.detach = assembly.detach
        self.engine = assembly.engine = Engine(
            sources=sources, assembly=assembly, telemetry=self.telemetry, crashed=self.crashed
        )
        self.app = self.engine.app = new_app(settings, self.engine)
        self.runners.lease_until = self.engine.lease_until
        self._subscribe(assembly, sources)

    def _subscribe(self, assembly: Assembly, sources: tuple[Source, ...]) -> None:
        memory = SharedMemory()
        app_id = self.settings.app_id
        for source in sources:
            count = source.partitions or 1
            for topic in source.topics:
                self._add_input(topic, source, assembly.reader(source))
            self._add_input(commands_topic(app_id, source.name), source, assembly.command_reader(source))
            self.app.add_state(retry_topic(app_id, source.name), count, indexed=True, memory=memory)
            self.app.add_state(ledger_topic(app_id, source.name), count, indexed=False, memory=memory)

    def _add_input(self, topic: str, source: Source, reader: Any) -> None:
        intake = Intake(
            partitions=self.engine.by_source[source.name],
            reader=reader,
            telemetry=self.telemetry,
            consumer=lambda: self.app.consumer,
            crash=self.crashed,
        )
        self.app.add_input(topic, source.partitions or 1, intake.take)

    def _producers(self) -> dict[str, Any]:
        return {"outbox": self.outbox.producer, "state": self.state_producer}

    # -- working

    async def _beat(self) -> None:
        """Keep health and metrics up to date."""
        while True:
            await asyncio.sleep(1.0)
            self.engine.show(self.health)
            self.telemetry.flush()

    async def _fence_again(self) -> None:
        while True:
            await asyncio.sleep(FENCE_AGAIN_SECONDS)
            await self.engine.fence_again()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self._background.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.crashed(task.exception())

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
        if hasattr(self, "app"):
            await self._drain()
            await self._stop_app()
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

    async def _drain(self) -> None:
        self.runners.accepting = False
        consumer = self.app.consumer if self.app._consumer is not None else None
        if consumer is not None:
            consumer.stop_flow()
        await _within(self.runners.idle(), self.settings.drain_seconds)
        self.runners.stop_all()
        await _within(self.runners.idle(), 1.0)
        await _within(self.engine.settle_all(), 2.0)
        await _within(self.engine.release_all(), 2.0)
        if consumer is not None:
            await consumer.commit_within(2.0)

    async def _stop_app(self) -> None:
        for task in self._background:
            task.cancel()
        self.engine.dismantle_all()
        await self.app.stop()
        await self.outbox.stop()
        await self.state_producer.stop()
        self.runners.execution.close()


def _calm_garbage_collector() -> None:
    """Jobs in flight are no garbage: by default a quarter of the time goes into looking at them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)


def _has_task_threads() -> bool:
    return any(thread.name.startswith("task") and thread.is_alive() for thread in threading.enumerate())


async def _within(work: Any, seconds: float) -> None:
    """Wait for `work`, but no longer than `seconds`."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        task.cancel()
    elif task.exception() is not None:
        log.warning("shutdown_step_failed", error=repr(task.exception()))
