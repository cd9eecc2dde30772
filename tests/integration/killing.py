"""One kill -9 at a named point of settlement, the next worker, and what was in Kafka at both times."""

import asyncio
import shutil
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path

from events.log_reader import LogReader
from events.topics import JOBS, jobs_topic
from schemas.cloudevent import CloudEvent
from tests.integration.observing import (
    Note,
    State,
    committed,
    event,
    job_of,
    notes,
    observed_worker,
    publish,
    reader_of,
    state_of,
    topic_of,
)
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

DISKS = ("same disk", "empty disk", "partition moved")
EACH = 3  # events of each kind
TASKS = {
    "kill.completed": ("completed",),
    "kill.retry": ("retrying",),
    "kill.retried": ("retried",),
    "kill.dead": ("dead",),
    "kill.exhausted": ("exhausted",),
    "kill.outputs": ("sending",),
    "kill.twins": ("first_twin", "second_twin"),
    "kill.stepped": ("stepped",),
}


@dataclass(frozen=True)
class Cast:
    """Who waits at the gate, and the outcome whose group kills: one that nothing before the gate comes to."""

    types: tuple[str, ...]
    kills: str
    warm_up: bool = False  # an event with outputs goes first, so that the producer knows its topics

    @property
    def waiting(self) -> int:
        return EACH * sum(len(TASKS[type]) for type in self.types)

    @property
    def jobs_in_all(self) -> int:
        """Those at the gate, the warm-up, and an event and a request from each that sends outputs."""
        return self.waiting + (1 + 2 * (1 + EACH) if self.warm_up else 0)

    def events(self) -> list[CloudEvent]:
        warm_up = [event("kill.outputs", "warm-up", warm_up=True)] if self.warm_up else []
        return warm_up + [event(type, f"{type}/{number}") for type in self.types for number in range(EACH)]


EVERYBODY = Cast(tuple(TASKS), "deadlettered", warm_up=True)
JOBS_IN_ALL = EVERYBODY.jobs_in_all


@dataclass(frozen=True)
class Seen:
    """What Kafka and the raw log said at one time."""

    events: State
    jobs: State
    committed: dict[str, int]
    notes: list[Note]

    @property
    def finished(self) -> int:
        return len(self.events.finished) + len(self.jobs.finished)


@dataclass(frozen=True)
class Aftermath:
    """A kill and what became of it."""

    app_id: str
    at_kill: Seen
    at_end: Seen
    exit_code: int | None


async def kill_and_recover(
    broker: str, folder: Path, point: str, disk: str, cast: Cast = EVERYBODY
) -> Aftermath:
    """Kill a worker where `point` is with all of the cast in one group; let the next one finish the work."""
    app_id = f"k{uuid.uuid4().hex[:10]}"
    marker, gate = folder / "killed", folder / "gate"
    worker = _worker(broker, app_id, folder, "a", fault=f"{point}:{cast.kills}:{marker}", gate=gate)
    following = worker
    try:
        await worker.start()
        await publish(broker, topic_of(app_id), *cast.events())
        await until(lambda: _at_the_gate(folder, cast), within_seconds=90, saying="all wait at the gate")
        gate.touch()
        assert worker.process is not None
        assert await asyncio.wait_for(worker.process.wait(), 60) == -signal.SIGKILL
        async with reader_of(broker, app_id) as reader:
            at_kill = await _look(reader, broker, app_id, folder)
            if disk == "empty disk":
                shutil.rmtree(folder / "a" / "state")
            if disk == "partition moved":
                following = _worker(broker, app_id, folder, "b", fault="", gate=gate)
            await following.launch()
            await until(lambda: _all_ended(folder, following, cast), within_seconds=90, saying="all have run")
            await until(lambda: _settled(reader, app_id, cast), within_seconds=60, saying="all is settled")
            await following.stop()
            at_end = await _look(reader, broker, app_id, folder)
        assert following.process is not None
        return Aftermath(app_id, at_kill, at_end, following.process.returncode)
    finally:
        await worker.stop()
        await following.stop()


def _worker(broker: str, app_id: str, folder: Path, name: str, *, fault: str, gate: Path) -> TaskWorker:
    (folder / name).mkdir()
    settings = {
        "instance_id": f"{app_id}-{name}",
        "session_timeout_seconds": 6,
        "show_running_after_seconds": 600,  # an attempt that was shown counts, however slow this machine is
        "fault_point": fault,
    }
    shared = {"RAW_LOG": folder / "raw.log", "GATE": gate}
    return observed_worker(broker, app_id, folder / name, "killed", **settings, **shared)


def jobs_of(task: str) -> list[str]:
    """The ids of the jobs of one task that waited at the gate."""
    (type,) = [type for type, tasks in TASKS.items() if task in tasks]
    return [job_of(task, f"{type}/{number}") for number in range(EACH)]


def _at_the_gate(folder: Path, cast: Cast) -> bool:
    ready = {note.job_id for note in notes(folder, "waiting")}
    warm = notes(folder, "started", task="receiving") and notes(folder, "started", task="helping")
    return bool(warm or not cast.warm_up) and len(ready) == cast.waiting


def _all_ended(folder: Path, worker: TaskWorker, cast: Cast) -> bool:
    assert worker.process is not None
    if worker.process.returncode is not None:
        raise RuntimeError(f"the worker ended: {(worker.folder / 'worker.log').read_text()[-4000:]}")
    return len({note.job_id for note in notes(folder, "started")}) == cast.jobs_in_all


async def _settled(reader: LogReader, app_id: str, cast: Cast) -> bool:
    await asyncio.sleep(0.2)  # each look reads whole topics
    events = await state_of(reader, app_id, topic_of(app_id))
    jobs = await state_of(reader, app_id, JOBS, jobs_topic(app_id))
    finished = len(events.finished) + len(jobs.finished)
    return finished == cast.jobs_in_all and not events.parked and not jobs.parked


async def _look(reader: LogReader, broker: str, app_id: str, folder: Path) -> Seen:
    offsets = await committed(broker, app_id)
    return Seen(
        events=await state_of(reader, app_id, topic_of(app_id)),
        jobs=await state_of(reader, app_id, JOBS, jobs_topic(app_id)),
        committed={place.topic: offset for place, offset in offsets.items()},
        notes=notes(folder),
    )
