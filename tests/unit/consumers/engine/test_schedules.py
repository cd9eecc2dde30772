"""The schedules of a partition, with time and Kafka in the test's hands."""

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from consumers.engine.asked import Asked
from consumers.engine.parked_counts import ParkedCounts
from consumers.engine.reader import Reader
from consumers.engine.schedule_commands import ScheduleCommands, run_id
from consumers.engine.schedules import Schedules
from consumers.engine.standing import Standing
from consumers.engine.statedb import Change, StateDb
from consumers.registry import Registry
from consumers.scheduling.cursor import Cursor, read_cursor
from consumers.scheduling.schedule import Schedule
from consumers.scheduling.timetable import Timetable
from events.registry_view import RegistryView
from schemas.command import Command
from schemas.job import job_id
from schemas.schedule import cursor_key
from schemas.state import decode_state
from tests.unit.consumers.engine.memory import MemoryRocks
from tests.unit.consumers.engine.orders import PEN
from tests.waiting import until

START_MS = 1_700_000_000_000


class World:
    """One partition: what is kept goes into its database at once, and is remembered batch by batch."""

    def __init__(self, db: StateDb | None = None) -> None:
        self.now_ms = START_MS + 500
        self.view = RegistryView()
        self.ready = asyncio.Event()
        self.kept: list[list[Change]] = []
        self.counts = ParkedCounts()
        self.db = db or StateDb(MemoryRocks(), indexed=True)  # type: ignore[arg-type]
        self.partition: Any = SimpleNamespace(
            number=0,
            lost=False,
            in_flight={},
            retry=SimpleNamespace(db=self.db),
            ledger=SimpleNamespace(db=StateDb(MemoryRocks(), indexed=False)),  # type: ignore[arg-type]
            settlement=SimpleNamespace(keep=self.keep),
        )
        clock = lambda: self.now_ms  # noqa: E731
        self.schedules = Schedules(
            partition=self.partition,
            parking=SimpleNamespace(counts=self.counts),  # type: ignore[arg-type]
            standing=Standing(partition=self.partition, now_ms=clock),
            reader=Reader(
                registry=Registry(),
                source="jobs",
                jobs_topics=frozenset({"A.jobs"}),
                default_types={},
                now_ms=clock,
                patience_ms=1000,
            ),
            view=self.view,
            ready=self.ready,
            partitions=1,
            app_id="A",
            pen=PEN,
            now_ms=clock,
        )
        self.commands = ScheduleCommands(schedules=self.schedules, now_ms=clock)
        self.running = asyncio.create_task(self.schedules.run())

    async def keep(self, changes: list[Change]) -> None:
        self.kept.append(changes)
        self.db.apply(changes, offset=len(self.kept), now_ms=self.now_ms)

    def announce(self, release: str = "1", *, removed: bool = False, **options: Any) -> None:
        schedule = Schedule(name="s", task="t", timetable=Timetable(every_ms=1000), **options)
        document = schedule.document() | {"release": release, "removed": removed}
        self.view.add(b"schedule/s", orjson.dumps(document))
        self.ready.set()
        self.schedules.registry_changed()

    async def at(self, ms: int) -> None:
        """Let time pass, as parking tells of it."""
        self.now_ms = START_MS + ms
        await self.schedules.fire(cursor_key("s"), b"", self.now_ms)

    def cursor(self) -> Cursor | None:
        (value,) = self.db.get([cursor_key("s")])
        return None if value is None else read_cursor(cursor_key("s"), value)

    def ask(self, command: Command, id: str = "c1") -> Any:
        return self.commands.handlers()[command](Asked(command, id, "s"))

    async def batches(self, count: int) -> None:
        await until(lambda: len(self.kept) >= count)


def time_id(ms: int) -> str:
    return job_id("t", ["schedule", "s", START_MS + ms])


@pytest.fixture
async def world(batches_in_memory: None) -> Any:
    made = World()
    yield made
    made.running.cancel()


async def test_the_job_and_then_the_cursor_are_one_batch(world: World) -> None:
    world.announce()
    await world.batches(1)
    await world.at(1003)
    await world.batches(2)
    job, cursor = world.kept[1]
    assert [job.id, cursor.id] == [time_id(1000).encode(), b"schedule/s"]
    record = decode_state(job.value or b"")
    assert record.due_ms == START_MS + 1000
    assert record.document["at"] == ["A.jobs", 0, -1]
    assert (record.document["schedule"], record.document["scheduled_ms"]) == ("s", START_MS + 1000)
    assert (record.document["state"], record.document["attempt"]) == ("scheduled", 0)
    stands = world.cursor()
    assert stands is not None
    assert (stands.next_ms, stands.due_ms, stands.last_ms) == (
        START_MS + 2000,
        START_MS + 2000,
        START_MS + 1000,
    )
    assert world.counts.by_kind["delay"] == 1


async def test_a_time_whose_job_is_known_starts_no_other(world: World) -> None:
    world.announce(missed="all")
    await world.batches(1)
    world.partition.in_flight[time_id(1000)] = object()
    await world.at(2000)
    await world.batches(2)
    assert [change.id.decode() for change in world.kept[1]] == [time_id(2000), "schedule/s"]


async def test_the_next_owner_goes_on_where_the_cursor_stands(world: World) -> None:
    world.announce(missed="all")
    await world.batches(1)
    await world.at(1000)
    await world.batches(2)
    world.running.cancel()
    heir = World(world.db)
    heir.now_ms = START_MS + 3500
    heir.announce(missed="all")
    await heir.batches(1)
    heir.running.cancel()
    assert [change.id.decode() for change in heir.kept[0]] == [time_id(2000), time_id(3000), "schedule/s"]


async def test_a_queued_time_starts_when_the_one_before_has_ended(world: World) -> None:
    world.announce(overlap="queue")
    await world.batches(1)
    await world.at(1000)
    await world.batches(2)
    await world.at(2000)
    await until(lambda: world.schedules._wake.is_set() is False)
    assert len(world.kept) == 2, "it waits"
    world.db.apply([Change(time_id(1000).encode(), None)], offset=9, now_ms=0)
    await world.batches(3)
    assert world.kept[2][0].id.decode() == time_id(2000)


async def test_removed_is_removed_and_a_lower_release_is_not_heard(world: World) -> None:
    world.announce("2")
    await world.batches(1)
    world.announce("3", removed=True)
    await world.batches(2)
    assert world.kept[1] == [Change(b"schedule/s", None, START_MS + 1000)]
    world.announce("2")
    await world.at(5000)
    assert (await world.ask(Command.PAUSE_SCHEDULE))["answer"] == "unknown_schedule"
    assert world.cursor() is None


async def test_pausing_and_resuming(world: World) -> None:
    world.announce()
    assert (await world.ask(Command.PAUSE_SCHEDULE))["answer"] == "paused"
    assert (await world.ask(Command.PAUSE_SCHEDULE))["answer"] == "paused"
    paused = world.cursor()
    assert paused is not None
    assert (paused.paused, paused.due_ms) == (True, 0)
    await world.at(5500)
    resumed = await world.ask(Command.RESUME_SCHEDULE)
    assert resumed == {"answer": "resumed", "next_ms": START_MS + 6000}, "what passed is not made up for"
    assert len(world.kept) == 3


async def test_run_now_is_done_once_for_a_command(world: World) -> None:
    world.announce()
    id = run_id("t", "s", "c1")
    for _ in range(2):
        assert (await world.ask(Command.RUN_SCHEDULE))["job_id"] == id
    assert [change.id.decode() for change in world.kept[1]] == [id, "schedule/s"]
    assert len(world.kept) == 2


async def test_a_schedule_nobody_can_read_is_left_alone(world: World) -> None:
    world.view.add(b"schedule/s", orjson.dumps({"schedule": "s", "cron": "no", "release": "1"}))
    world.ready.set()
    assert (await world.ask(Command.RUN_SCHEDULE))["answer"] == "unknown_schedule"
    assert world.kept == []
