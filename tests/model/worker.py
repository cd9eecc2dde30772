"""A worker of the model: the engine's real parts, wired as the worker itself wires them.

Only the edges are simulated: the clients of Kafka, the disk, and the handlers, which wait to be told how they
end.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from faust.types import TP

from consumers.engine.assembly import Assembly
from consumers.engine.engine import Engine
from consumers.engine.execution import Execution
from consumers.engine.intake import Intake
from consumers.engine.outbox import Outbox
from consumers.engine.runners import Runners
from consumers.engine.sending import Sending
from consumers.settings import WorkerSettings
from events.topics import Source
from tests.model.clock import CLOCK, SteppedLoop
from tests.model.faust_parts import SimApp, inputs
from tests.model.kafka import APP, LEDGER, RETRY, TOPIC, Request
from tests.model.orders import REGISTRY, end
from tests.model.producer import SimProducer
from tests.unit.consumers.engine.kit import Telemetry

if TYPE_CHECKING:
    from consumers.context import Context
    from consumers.engine.partition import Partition
    from tests.model.world import World

SESSION_SECONDS = 6.0
SETTINGS = WorkerSettings(
    app_id=APP,
    session_timeout_seconds=SESSION_SECONDS,
    worker_name="w",
    partition_in_flight=8,
    max_distance=12,
    gather_seconds=0,
)


class Killed(BaseException):
    """The process ends here."""


class SimOutbox(Outbox):
    """The real outbox with a simulated client."""

    def __init__(self, worker: "SimWorker") -> None:
        super().__init__(SETTINGS)
        self._worker = worker
        self._producer = SimProducer(worker, "outbox")

    async def _new_producer(self) -> Any:
        return SimProducer(self._worker, "outbox")


class SimAssembly(Assembly):
    """The real assembly; what is acked is looked at."""

    def new_partition(self, source: Source, number: int) -> "Partition":
        partition = super().new_partition(source, number)
        worker, acked = self.engine.app.worker, partition.settlement._acked

        def checked(settled: list[Any]) -> None:
            worker.world.rules.acked(worker, number, partition.retry.writer, settled)
            acked(settled)

        partition.settlement._acked = checked
        return partition


class SimTelemetry(Telemetry):
    """Hears when an attempt starts."""

    def __init__(self, worker: "SimWorker") -> None:
        super().__init__()
        self._worker = worker

    def started(self, job: Any) -> None:
        self._worker.world.rules.started(self._worker, job)


class Run(SimpleNamespace):
    """An attempt that waits to be told how it ends."""


class SimWorker:
    """One process. `disk` outlives it."""

    def __init__(self, world: "World", name: str, disk: dict[Any, dict[bytes, bytes]]) -> None:
        self.world, self.name, self.disk = world, name, disk
        self.kafka = world.kafka
        self.loop = SteppedLoop()
        self.loop.set_exception_handler(lambda loop, context: self.crashed(context.get("exception")))
        self.pending: list[Request] = []
        self.runs: list[Run] = []
        self.channel: deque[Any] = deque()
        self.alive, self.frozen, self.generation = True, False, 0
        self.writes_left: int | None = None  # database writes before it is killed
        self.owned: set[int] = set()
        self.rejoining = self.draining = self.recovering = self.taking = None
        self.loop.call_soon(self._assemble)
        self.step()

    def __repr__(self) -> str:
        return self.name

    def _assemble(self) -> None:
        outbox = SimOutbox(self)
        sending = Sending(outbox=outbox, app_id=APP)
        runners = Runners(max_jobs=50, detach_after_seconds=1e9)
        telemetry: Any = SimTelemetry(self)
        runners.execution = Execution(
            registry=REGISTRY,
            telemetry=telemetry,
            sending=sending,
            state={"worker": self},
            now_ms=CLOCK.now_ms,
            threads=1,
            chance=lambda: 1.0,
        )
        source = Source(name=TOPIC, topics=(TOPIC,), partitions=self.kafka.partitions)
        assembly = SimAssembly(
            settings=SETTINGS,
            registry=REGISTRY,
            sources=(source,),
            telemetry=telemetry,
            outbox=outbox,
            sending=sending,
            state_producer=SimProducer(self, "state"),
            runners=runners,
            execution=runners.execution,
        )
        self.runners, self.assembly = runners, assembly
        self.engine = assembly.engine = Engine(
            sources=(source,), assembly=assembly, telemetry=telemetry, crashed=self.crashed
        )
        self.app = SimApp(self, self.engine)
        self.engine.app = self.app  # type: ignore[assignment]
        runners.lease_until = self.engine.lease_until
        runners.detach = assembly.detach
        self.consumer = self.app.consumer
        self.intake = Intake(
            partitions=self.engine.by_source[TOPIC],
            reader=assembly.reader(source),
            telemetry=telemetry,
            consumer=lambda: self.consumer,
            crash=self.crashed,
        )

    # -- the process

    def step(self) -> None:
        """Run until it waits for something from outside."""
        if self.alive and not self.frozen:
            self.loop.settle()

    def spawn(self, work: Any) -> "asyncio.Task[Any]":
        return self.loop.create_task(work)

    def crashed(self, error: BaseException | None) -> None:
        if self.alive and not isinstance(error, Killed):
            self.world.rules.worker_ended(self, error)

    def before_write(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                self.alive = False
            self.writes_left -= 1
        if not self.alive:
            raise Killed

    def bury(self) -> None:
        """End every task of a dead process, whose edges do nothing any more."""
        self.alive = False
        self.pending.clear()
        self.runners.accepting = False
        self.loop.end()

    # -- asking the broker

    def request(self, lane: Any, apply: Callable[[], Any]) -> "asyncio.Future[Any]":
        future = self.loop.create_future()
        if self.alive:
            self.pending.append(Request(lane, apply, future))
        return future

    async def ask(self, lane: Any, apply: Callable[[], Any]) -> Any:
        return await self.request(lane, apply)

    def heads(self) -> list[Request]:
        """The first request of each lane."""
        heads: dict[Any, Request] = {}
        for request in self.pending:
            heads.setdefault(request.lane, request)
        return list(heads.values())

    # -- records

    async def receive(self, message: Any) -> None:
        self.channel.append(message.value)

    def drain(self) -> None:
        resting = self.draining is None or self.draining.done()
        if resting and self.consumer.flow_active:
            self.draining = self.spawn(self.consumer.drain())

    def take(self) -> None:
        if self.channel and (self.taking is None or self.taking.done()):
            self.taking = self.spawn(self.intake.take(self.channel.popleft()))

    # -- handlers

    async def work(self, ctx: "Context") -> Any:
        run = Run(job=ctx._job, outcome=self.loop.create_future())
        self.runs.append(run)
        try:
            return end(ctx, await run.outcome)
        finally:
            self.runs.remove(run)

    def charge(self, ctx: "Context") -> str:
        self.world.rules.charged(self, ctx._job)
        return "charged"

    # -- the group

    def rejoin(self) -> None:
        """What the coordinator's client does when a rebalance begins."""
        if self.rejoining is None or self.rejoining.done():
            self.rejoining = self.spawn(self._rejoin())

    async def _rejoin(self) -> None:
        await self.consumer.on_partitions_revoked(inputs(self.owned))
        self.consumer._joined = CLOCK.now
        promise = self.loop.create_future()
        self.kafka.group.join(self, promise)
        assignment = await promise
        if assignment is None:
            return
        owned, generation = assignment
        self.generation = self.app.consumer_generation_id = generation
        self.consumer._thread.positions.clear()
        self.consumer._thread.assigned = inputs(owned)
        await self.consumer.on_partitions_assigned(inputs(owned), generation)

    async def revoked(self, revoked: set[TP]) -> None:
        """Faust's app: nothing flows any more, and what waited in channels is thrown away."""
        self.consumer.stop_flow()
        self.channel.clear()

    async def assigned(self, assigned: set[TP], generation: int) -> None:
        """Faust's app: tables are closed and restored, then the fetcher goes on."""
        self.owned = {tp.partition for tp in assigned}
        for store in self.app.stores.values():
            for number in set(store.open) - self.owned:
                store.close(number)
        if self.recovering is not None:
            self.recovering.cancel()
        self.recovering = self.spawn(self._recover(generation))

    async def _recover(self, generation: int) -> None:
        changelogs = {TP(topic, number) for topic in (RETRY, LEDGER) for number in self.owned}
        await self.engine.fence(changelogs)
        for tp in sorted(changelogs):
            db = self.app.stores[tp.topic].partition(tp.partition)
            db.restore(self.kafka.logs[tp.topic, tp.partition][db.offset + 1 :], now_ms=CLOCK.now_ms())
            await asyncio.sleep(0)
        await self.engine.restored(generation)
        if self.app.consumer_generation_id == generation:
            await self.consumer.perform_seek()
            self.consumer.resume_flow()
            self.engine.rebalance_ended()
