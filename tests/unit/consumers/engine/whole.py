"""A whole partition in memory: its real parts around two tables; attempts end when a test says so."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from consumers import task
from consumers.engine.asked import Asked, answer_key
from consumers.engine.cancelling import Cancelling
from consumers.engine.desk import Desk
from consumers.engine.execution import Execution
from consumers.engine.group import Planner
from consumers.engine.job import Job
from consumers.engine.moving import Moving
from consumers.engine.parking import Parking
from consumers.engine.partition import Partition
from consumers.engine.reader import Read, Reader
from consumers.engine.runners import Runners
from consumers.engine.settlement import Settlement
from consumers.engine.standing import Standing
from consumers.engine.statedb import StateDb
from consumers.engine.tracker import Tracker
from consumers.registry import Registry, using
from events import codec
from events.queue_options import EnqueueOptions
from events.requests import request_event
from schemas.command import Command
from schemas.state import Position, RawRecord, StateRecord, decode_state
from tests.unit.consumers.engine.kit import Telemetry
from tests.unit.consumers.engine.memory import MemoryRocks
from tests.unit.consumers.engine.orders import PEN

TOPIC = "A.jobs"


class Log:
    """One state topic: what is appended is durable at once."""

    def __init__(self, name: str, *, indexed: bool) -> None:
        self.topic, self.partition, self.writer, self.closed = name, 0, PEN.writer, False
        self.db = StateDb(MemoryRocks(), indexed=indexed)
        self.appended: list[Any] = []

    async def append(self, changes: Any) -> int:
        self.appended += changes
        return len(self.appended)

    def apply(self, changes: Any, *, offset: int, now_ms: int) -> None:
        self.db.apply(changes, offset=offset, now_ms=now_ms)


class Whole:
    """A partition at work. `now` is its clock in ms; jobs of the task `work` end when `gate` opens."""

    def __init__(self) -> None:
        self.now = 1_900_000_000_000
        self.gate = asyncio.Event()
        self.ran: list[str] = []
        self.originals: dict[str, RawRecord] = {}
        self.reported: list[tuple[str, str]] = []
        self.registry = Registry()
        with using(self.registry):
            task(name="work", order="key")(self._work)
            task(name="thread")(self._thread)
        self.retry, self.ledger = Log("A.jobs.retry", indexed=True), Log("A.jobs.ledger", indexed=False)
        self.runners = Runners(max_jobs=2, detach_after_seconds=math.inf)
        self.execution = self.runners.execution = Execution(
            registry=self.registry, telemetry=Telemetry(), sending=_Sending(), state={},
            now_ms=self.now_ms, threads=2,
        )  # type: ignore[arg-type]  # fmt: skip
        self.runners.lease_until = lambda: math.inf
        self.reader = Reader(
            registry=self.registry, source="jobs", jobs_topics=frozenset({TOPIC}), default_types={},
            now_ms=self.now_ms, patience_ms=1000,
        )  # fmt: skip
        self.offset = 0
        self.start_over()

    def start_over(self) -> None:
        """The partition on a new owner: state is there, nothing is in flight."""
        self.partition = Partition(
            source="jobs", number=0, retry=self.retry, ledger=self.ledger, now_ms=self.now_ms,
            runners=self.runners, report=self._report, abandoned=lambda job: None, flush=lambda: None,
        )  # type: ignore[arg-type]  # fmt: skip
        self.tracker = self.partition.trackers[TOPIC] = Tracker()
        self.parking = Parking(
            partition=self.partition, reader=self.reader, now_ms=self.now_ms, in_flight_limit=100
        )
        self.partition.settlement = self._settlement()
        standing = Standing(partition=self.partition, now_ms=self.now_ms)
        moving = Moving(
            standing=standing, parking=self.parking, reader=self.reader,
            find_original=self._find_original, now_ms=self.now_ms,
        )  # fmt: skip
        cancelling = Cancelling(standing=standing, parking=self.parking, reader=self.reader)
        self.desk = self.partition.desk = Desk(
            partition=self.partition, cancelling=cancelling, moving=moving, now_ms=self.now_ms
        )
        self.partition.active = True

    def _settlement(self) -> Settlement:
        return Settlement(
            planner=Planner(pen=PEN, max_result_bytes=1000), retry=self.retry, ledger=self.ledger,
            letters_topic="A.jobs.dlq", outbox=_Sending(), sending=_Sending(), may_write=_nothing,
            now_ms=self.now_ms, decide=self.execution.decide, acked=self.partition.acked,
            parked=self.parking.changed, counted=self.parking.counts.settled, settled_in=lambda s: None,
            app_id="A", gather_seconds=0.0,
        )  # type: ignore[arg-type]  # fmt: skip

    def now_ms(self) -> int:
        return self.now

    async def _work(self, ctx: Any, fails: str = "") -> str:
        self.ran.append(ctx.job_id)
        await self.gate.wait()
        if fails:
            raise ValueError(fails)
        return "done"

    def _thread(self, ctx: Any, looks: bool = False) -> str:
        self.ran.append(ctx.job_id)
        while not (ctx._job.cancel_reason or self.gate.is_set()):
            pass
        if looks:
            assert ctx.cancelled
        return "done"

    async def _find_original(self, job_id: str, at: Position) -> RawRecord | None:
        return self.originals.get(job_id)

    def _report(self, job: Job, decision: Any) -> None:
        self.reported.append((job.id, type(decision).__name__))

    # -- what a test does

    def request(self, id: str, task: str = "work", *, key: str | None = None, **options: Any) -> Read:
        """Read a request for a job from the next offset."""
        args = options.pop("args", {})
        _, record_key, event = request_event(
            "A", task, args, EnqueueOptions(job_id=id, **options), now_ms=self.now
        )
        value, headers = codec.encode(event)
        raw = RawRecord(key.encode() if key else record_key, value, tuple(headers), self.now)
        self.originals[id] = raw
        (read,) = self.reader.read(raw, Position(TOPIC, 0, self.offset))
        self.tracker.take(self.offset, 1)
        read.job.held = (self.tracker, self.offset)
        self.offset += 1
        return read

    async def enqueue(self, id: str, task: str = "work", **options: Any) -> Job:
        read = self.request(id, task, **options)
        await self.partition.start(self.partition.admit([read]))
        return read.job

    async def ask(self, command: Command, about: str = "j", id: str = "c1", **body: Any) -> dict[str, Any]:
        """Give a command; returns its answer."""
        carrier = _carrier(Asked(command, id, about, {"job_id": about, **body}))
        carrier.ended = asyncio.Event()
        self.desk.take(carrier)
        async with asyncio.timeout(5):
            await carrier.ended.wait()
        return self.answer(id)

    def answer(self, id: str = "c1") -> dict[str, Any]:
        record = self.stored(answer_key(id))
        assert record is not None
        names = ("command", "job_id", "answer", "job_state", "why", "due_ms")
        return {name: record.document[name] for name in names if name in record.document}

    def stored(self, id: str) -> StateRecord | None:
        """The newest ledger record."""
        (value,) = self.ledger.db.get([id.encode()])
        return None if value is None else decode_state(value)

    def parked(self, id: str) -> StateRecord | None:
        (value,) = self.retry.db.get([id.encode()])
        return None if value is None else decode_state(value)

    def state(self, id: str) -> str:
        record = self.stored(id)
        return "" if record is None else str(record.document["state"])


def _carrier(asked: Asked) -> Job:
    from consumers.engine.commands import _carrier as made

    return made(asked, RawRecord(None, None, (), 0), Position("A.jobs.commands", 0, 0))


async def _nothing() -> None:
    pass


class _Sending:
    async def check(self, outputs: Any) -> None:
        pass

    async def send(self, *record: Any, partition: int | None = None) -> None:
        pass

    async def send_letters(self, topic: str, partition: int, letters: Any) -> None:
        pass


@asynccontextmanager
async def whole() -> AsyncIterator[Whole]:
    """A partition at work; `settlement` and `desk` run, parked jobs fire when told (`parking.fire`)."""
    made = Whole()
    tasks = [asyncio.create_task(work) for work in (made.partition.settlement.run(), made.desk.run())]
    try:
        yield made
        made.gate.set()
    finally:
        for each in tasks:
            each.cancel()
        made.runners.stop_all()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if ended is not None and not isinstance(ended, asyncio.CancelledError):
                raise ended
        made.execution.close()
