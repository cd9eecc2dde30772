"""What of Faust the engine's consumer stands on, reduced to the border with Kafka.

The consumer itself is the real one, Faust's part of it included; its thread answers from the simulated
broker.
"""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from faust.types import TP
from mode import Service

from consumers.engine.statedb import StateDb
from consumers.engine.transport import Consumer
from tests.model.kafka import LEDGER, RETRY, TOPIC
from tests.unit.consumers.engine.memory import MemoryRocks

if TYPE_CHECKING:
    from tests.model.worker import SimWorker

FETCHED_AT_ONCE = 2


class Anything:
    """Takes every call; what is not looked at here is told to nobody."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


ANYTHING = Anything()
CONF = SimpleNamespace(
    broker_commit_every=10_000,
    ConsumerScheduler=lambda: None,
    broker_commit_interval=1.0,
    broker_commit_livelock_soft_timeout=300.0,
)


class SimThread(Service):
    """The thread with the Kafka client."""

    abstract = True
    _consumer = None

    def __init__(self, consumer: "SimConsumer", worker: "SimWorker") -> None:
        super().__init__(beacon=consumer.beacon)
        self.of, self.worker = consumer, worker
        self.positions: dict[TP, int] = {}
        self.assigned: set[TP] = set()

    def assignment(self) -> set[TP]:
        return self.assigned

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        return await self.worker.ask("fetch", lambda: self._fetch(active))

    def _fetch(self, active: set[TP]) -> dict[TP, list[Any]]:
        if not self.of.flow_active:
            return {}
        found = {}
        for tp in sorted(active & self.assigned):
            start = self.positions.get(tp)
            if start is None:
                start = self.worker.kafka.group.committed.get(tp, 0)
            records = self.worker.kafka.logs[tp.topic, tp.partition][start : start + FETCHED_AT_ONCE]
            if records:
                self.positions[tp] = records[-1].offset + 1
                found[tp] = records
        return found

    async def seek_wait(self, partitions: dict[TP, int]) -> None:
        for tp, offset in partitions.items():
            self.positions[tp] = offset
            if offset > 0:
                self.of._read_offset[tp] = offset
            elif tp in self.of._read_offset:
                del self.of._read_offset[tp]
        await asyncio.sleep(0)

    async def seek_to_committed(self) -> dict[TP, int | None]:
        committed = {tp: self.worker.kafka.group.committed.get(tp) for tp in self.assigned}
        self.positions.update({tp: offset for tp, offset in committed.items() if offset})
        await asyncio.sleep(0)
        return committed

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return {tp: self.worker.kafka.end(tp.topic, tp.partition) for tp in tps}

    async def commit_in(self, generation: int, offsets: dict[TP, int]) -> bool:
        return bool(
            await self.worker.ask(
                "commit", lambda: self.worker.kafka.group.commit(self.worker, generation, offsets)
            )
        )


class SimConsumer(Consumer):
    """The engine's consumer with a simulated thread."""

    abstract = True

    def _new_consumer_thread(self) -> SimThread:
        return SimThread(self, self.app.worker)

    async def wait_first(self, *coros: Any, timeout: Any = None) -> None:
        """The channel never blocks here, so the first one is the hand-over itself."""
        handing_over, suspended = coros
        suspended.close()
        await handing_over

    async def drain(self) -> None:
        """One turn of the fetcher."""
        await self._drain_once()


class SimStore:
    """The store of one table on the disk of a worker: a partition is opened once and closed when it is
    lost."""

    def __init__(self, worker: "SimWorker", topic: str) -> None:
        self._worker, self._topic = worker, topic
        self.open: dict[int, StateDb] = {}

    def partition(self, number: int) -> StateDb:
        if number not in self.open:
            disk = self._worker.disk.setdefault((self._topic, number), {})
            rocks = MemoryRocks(disk)
            rocks.before_write = self._worker.before_write
            self.open[number] = StateDb(rocks, indexed=self._topic == RETRY)
        return self.open[number]

    def close(self, number: int) -> None:
        self.open.pop(number, None)


class SimApp:
    """What the consumer and the engine ask of the Faust app."""

    client_only = in_transaction = should_stop = False
    conf = CONF
    sensors = monitor = ANYTHING

    def __init__(self, worker: "SimWorker", engine: Any) -> None:
        self.worker, self.engine = worker, engine
        self.consumer_generation_id = 0
        self.producer = SimpleNamespace(flush=_nothing)
        self._attachments = SimpleNamespace(publish_for_tp_offset=_nothing)
        self.stores = {topic: SimStore(worker, topic) for topic in (RETRY, LEDGER)}
        self.tables = _Tables(self.stores)
        self.consumer = self._consumer = SimConsumer(
            SimpleNamespace(app=self, create_transaction_manager=lambda **_: None),
            callback=worker.receive,
            on_partitions_revoked=worker.revoked,
            on_partitions_assigned=worker.assigned,
        )

    def _start_span_from_rebalancing(self, name: str) -> Any:
        return _SPAN

    def on_rebalance_return(self) -> None:
        pass


class _Tables(dict[str, Any]):
    changelog_topics = frozenset({RETRY, LEDGER})

    def __init__(self, stores: dict[str, SimStore]) -> None:
        super().__init__({topic: SimpleNamespace(data=store) for topic, store in stores.items()})

    def on_commit(self, offsets: Any) -> None:
        pass


class _Span:
    tracer = None

    def __enter__(self) -> "_Span":
        return self

    def __exit__(self, *_: object) -> None:
        pass


_SPAN = _Span()


async def _nothing(*_: Any) -> None:
    return None


def inputs(numbers: set[int]) -> set[TP]:
    return {TP(TOPIC, number) for number in numbers}
