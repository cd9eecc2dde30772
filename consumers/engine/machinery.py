"""The parts of a running worker: built once from settings and tasks, started and stopped together.

Nothing connects before `start`. What may hang when it stops is waited for within bounds.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer

from consumers.announcing.announcer import Announcer
from consumers.announcing.documents import announcements
from consumers.announcing.heartbeat import STOPPED, Heartbeat
from consumers.engine.allocator import return_what_is_free
from consumers.engine.app import new_app
from consumers.engine.assembly import Assembly
from consumers.engine.engine import Engine
from consumers.engine.execution import Execution
from consumers.engine.intake import Intake
from consumers.engine.outbox import Outbox
from consumers.engine.runners import Runners
from consumers.engine.sending import Sending
from consumers.engine.store import SharedMemory
from consumers.engine.watchdog import watch_clients
from consumers.isolation.messages import Boot
from consumers.registry import Registry
from consumers.settings import WorkerSettings
from consumers.telemetry.health import Health
from consumers.telemetry.telemetry import Telemetry
from consumers.workflows.inputs import Inputs
from events.connecting import disconnect
from events.garbage import collect_seldom
from events.times import now_ms
from events.topics import Source, commands_topic, ledger_topic, retry_topic

log = structlog.get_logger()

STATE_BATCH_BYTES: Final = 512 << 10
FENCE_AGAIN_SECONDS: Final = 3600.0
RETURN_MEMORY_SECONDS: Final = 30.0
# Fetched records and jobs in flight come and go by 60,000 at full speed; 50,000 cost 6 % of the time.
JOBS_IN_FLIGHT_OBJECTS: Final = 200_000


class Machinery:
    """Everything between Kafka and the handlers of one worker."""

    def __init__(
        self,
        *,
        settings: WorkerSettings,
        registry: Registry,
        sources: tuple[Source, ...],
        telemetry: Telemetry,
        state: dict[str, Any],
        crashed: Callable[[BaseException | None], None],
    ) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._crashed = crashed
        self._background: list[asyncio.Task[Any]] = []
        self._heartbeat: Heartbeat | None = None
        self.outbox = Outbox(settings)
        self.state_producer = _state_producer(settings)
        sending = Sending(outbox=self.outbox, app_id=settings.app_id)
        self.runners = Runners(
            max_jobs=settings.max_jobs,
            detach_after_seconds=settings.detach_after_seconds,
            show_after_seconds=settings.show_running_after_seconds,
        )
        self.runners.execution = Execution(
            registry=registry,
            telemetry=telemetry,
            sending=sending,
            state=state,
            now_ms=now_ms,
            threads=settings.thread_pool_size,
            restart_clock=self.runners.restart_clock,
            process_grace_seconds=settings.process_grace_seconds,
            processes=settings.process_pool_size,
            boot=Boot(settings.task_modules, settings.log_format, settings.log_level),
        )
        self.runners.execution.inputs = Inputs(settings)
        self.announcer = Announcer(
            settings=settings,
            own=announcements(registry, settings.release),
            modules=settings.task_modules,
            send=self.outbox.send,
        )
        assembly = Assembly(
            announcer=self.announcer,
            settings=settings,
            registry=registry,
            sources=sources,
            telemetry=telemetry,
            outbox=self.outbox,
            sending=sending,
            state_producer=self.state_producer,
            runners=self.runners,
            execution=self.runners.execution,
        )
        self.runners.detach = assembly.detach
        self.runners.show = assembly.show
        self.engine = assembly.engine = Engine(
            sources=sources, assembly=assembly, telemetry=telemetry, crashed=crashed
        )
        self.app = self.engine.app = new_app(settings, self.engine)
        self.runners.lease_until = self.engine.lease_until
        self._tasks_by_name = registry.tasks
        self._subscribe(assembly, sources)

    def _subscribe(self, assembly: Assembly, sources: tuple[Source, ...]) -> None:
        memory = SharedMemory()
        app_id = self._settings.app_id
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
            telemetry=self._telemetry,
            consumer=lambda: self.app.consumer,
            crash=self._crashed,
        )
        self.app.add_input(topic, source.partitions or 1, intake.take)

    async def start(self, health: Health) -> None:
        """Connect, join the group, keep `health` up to date."""
        gc.collect()
        collect_seldom(JOBS_IN_FLIGHT_OBJECTS)
        await self.outbox.start()
        await self.state_producer.start()
        self._spawn(self.runners.watch())
        self._spawn(self._beat(health))
        self._spawn(watch_clients(self.app, self._producers))
        self._spawn(self._fence_again())
        self._spawn(self._return_memory())
        self._heartbeat = Heartbeat(
            settings=self._settings,
            tasks=self._tasks_by_name,
            send=self.outbox.send,
            state=lambda: health.state.value,
            owned=lambda: list(self.engine.partitions),
            running=lambda: len(self.runners.running),
        )
        self._spawn(self.announcer.run())
        self._spawn(self._heartbeat.run())
        self._spawn(self.app.start())

    def _producers(self) -> dict[str, Any]:
        return {"outbox": self.outbox.producer, "state": self.state_producer}

    async def _beat(self, health: Health) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.engine.show(health)
            self._telemetry.flush()

    async def _fence_again(self) -> None:
        while True:
            await asyncio.sleep(FENCE_AGAIN_SECONDS)
            await self.engine.fence_again()

    @staticmethod
    async def _return_memory() -> None:
        while True:
            await asyncio.sleep(RETURN_MEMORY_SECONDS)
            gc.collect()  # old cycles as well: by itself a quiet worker would never get to those
            await asyncio.to_thread(return_what_is_free)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self._background.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._crashed(task.exception())

    async def drain(self, seconds: float) -> None:
        """Let running jobs end within `seconds`, settle what ended, release, commit. Each step is bounded."""
        self.runners.accepting = False
        consumer = self.app.consumer if self.app._consumer is not None else None
        if consumer is not None:
            consumer.stop_flow()
        await _within(self.runners.idle(), seconds)
        self.runners.stop_all()
        await _within(self.runners.idle(), 1.0)
        await _within(self.runners.execution.processes.end(), 3.0)
        await _within(self.engine.settle_all(), 2.0)
        await _within(self.engine.release_all(), 2.0)
        if self._heartbeat is not None:
            await _within(self._heartbeat.beat(STOPPED), 1.0)
        if consumer is not None:
            await consumer.commit_within(2.0)

    async def stop(self) -> None:
        """Leave the group and disconnect."""
        for task in self._background:
            task.cancel()
        self.engine.dismantle_all()
        await self.app.stop()
        await asyncio.gather(self.outbox.stop(), disconnect(self.state_producer))
        self.runners.execution.close()


def _state_producer(settings: WorkerSettings) -> AIOKafkaProducer:
    """Not idempotent: a refused batch does not end it, and compacted state bears a record written twice."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        client_id=f"{settings.app_id}-state",
        acks="all",
        linger_ms=0,
        max_batch_size=STATE_BATCH_BYTES,
        compression_type="zstd",
        **settings.kafka_arguments(),
    )


async def _within(work: Any, seconds: float) -> None:
    """Wait for `work`, but no longer than `seconds`."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        task.cancel()
    elif task.exception() is not None:
        log.warning("shutdown_step_failed", error=repr(task.exception()))
