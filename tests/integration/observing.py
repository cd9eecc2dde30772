"""Workers whose tasks write a raw log, and what Kafka holds of their jobs, read without our own folding."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from events.codec import encode
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.topics import JOBS, dlq_topic, jobs_topic, ledger_topic, retry_topic
from schemas.cloudevent import CloudEvent
from schemas.job import job_id
from schemas.state import StateRecord, decode_state, is_fence
from tests.integration.task_worker import TaskWorker

SOURCE = "/observed"


def observed_worker(broker: str, app_id: str, folder: Path, module: str, **settings: object) -> TaskWorker:
    """A worker of the tasks in `modules/<module>.py`, not started yet; its event topic is `<app_id>-events`.

    `settings` are those of a worker by their names without prefix; upper-case ones are environment as it is.
    """
    environment = {
        "HEADRACE_TASK_MODULES": f"tests.integration.modules.{module}",
        "HEADRACE_DEFAULT_PARTITIONS": "1",
        "HEADRACE_JOBS_PARTITIONS": "1",
        "RAW_LOG": str(folder / "raw.log"),
        "TEST_TOPIC": topic_of(app_id),
    }
    for name, value in settings.items():
        environment[name if name.isupper() else f"HEADRACE_{name.upper()}"] = str(value)
    return TaskWorker(broker, app_id, folder, environment)


@asynccontextmanager
async def observing(
    broker: str, app_id: str, folder: Path, module: str, **settings: object
) -> AsyncIterator[TaskWorker]:
    """The same worker, ready; it must stop in good order."""
    worker = observed_worker(broker, app_id, folder, module, **settings)
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()
    assert worker.process is not None
    assert worker.process.returncode == 0


def topic_of(app_id: str) -> str:
    return f"{app_id}-events"


@dataclass(frozen=True)
class Note:
    """A line of the raw log."""

    what: str
    task: str
    job_id: str
    attempt: int
    event_id: str
    at: float
    pid: int
    facts: dict[str, Any] = field(default_factory=dict)


def notes(folder: Path, what: str | None = None, *, task: str | None = None) -> list[Note]:
    """What the tasks wrote down, in its order."""
    path = folder / "raw.log"
    whole, _, _ = (path.read_bytes() if path.exists() else b"").rpartition(
        b"\n"
    )  # the last may be half there
    lines = [orjson.loads(line) for line in whole.splitlines()]
    known = ("what", "task", "job_id", "attempt", "event_id", "at", "pid")
    found = [Note(**{name: line.pop(name) for name in known}, facts=line) for line in lines]
    return [each for each in found if what in (None, each.what) and task in (None, each.task)]


def event(type: str, id: str, **data: Any) -> CloudEvent:
    return CloudEvent(type=type, source=SOURCE, id=id, data=data)


def job_of(task: str, event_id: str) -> str:
    """The id of the job that runs `task` for an event of ours."""
    return job_id(task, [SOURCE, event_id])


async def publish(broker: str, topic: str, *events: CloudEvent, key: str | None = None) -> None:
    """Publish without a key, so that nothing waits in a lane, unless one is given."""
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True) as producer:
        for each in events:
            value, headers = encode(each)
            record_key = None if key is None else key.encode()
            await producer.send_and_wait(topic, value, key=record_key, headers=list(headers))


@dataclass(frozen=True)
class State:
    """What the topics of one source say: every ledger record and letter, and the newest retry records."""

    finished: dict[str, list[StateRecord]]
    parked: dict[str, StateRecord]
    letters: dict[str, list[dict[str, str]]]
    records: list[Any]  # of the input topics
    written: list[tuple[str, int, StateRecord]] = field(default_factory=list)  # retry records, when written
    letter_records: list[Any] = field(default_factory=list)

    def attempts(self, job_id: str) -> int:
        (record,) = self.finished[job_id]
        return int(record.document["attempt"])

    def outcome(self, job_id: str) -> str:
        (record,) = self.finished[job_id]
        return str(record.document["state"])


async def state_of(reader: LogReader, app_id: str, source: str, *inputs: str) -> State:
    """Read everything from the beginning; only for sources nobody foreign writes to."""
    state = State({}, {}, {}, [record async for record in reader.read(inputs or [source])])
    async for record in reader.read([retry_topic(app_id, source)]):
        if not is_fence(record.key):
            if record.value is None:
                state.parked.pop(record.key.decode(), None)
            else:
                parked = state.parked[record.key.decode()] = decode_state(record.value)
                state.written.append((record.key.decode(), record.timestamp, parked))
    async for record in reader.read([ledger_topic(app_id, source)]):
        if not is_fence(record.key):
            state.finished.setdefault(record.key.decode(), []).append(decode_state(record.value))
    async for record in reader.read([dlq_topic(app_id, source)]):
        facts = facts_of(record)
        state.letters.setdefault(facts.get("headrace-job-id", ""), []).append(facts)
        state.letter_records.append(record)
    return state


def facts_of(letter: Any) -> dict[str, str]:
    """The headers of ours on a dead letter."""
    return {name: content.decode() for name, content in letter.headers if name.startswith("headrace-")}


async def events_state(broker: str, app_id: str) -> State:
    """The state of the event topic's source now."""
    async with reader_of(broker, app_id) as reader:
        return await state_of(reader, app_id, topic_of(app_id))


async def jobs_state(broker: str, app_id: str) -> State:
    """The state of direct enqueues now."""
    async with reader_of(broker, app_id) as reader:
        return await state_of(reader, app_id, JOBS, jobs_topic(app_id))


def reader_of(broker: str, app_id: str) -> LogReader:
    return LogReader(ClientSettings(bootstrap_servers=broker, app_id=app_id))


async def committed(broker: str, app_id: str) -> dict[TopicPartition, int]:
    """What the group of the app has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(app_id)
        return {place: each.offset for place, each in offsets.items() if each.offset >= 0}
    finally:
        await admin.close()


def header(record: Any, name: str) -> str:
    return dict(record.headers).get(name, b"").decode()


def ids_of_type(records: Iterable[Any], type: str) -> Counter[str]:
    """How often each event id of a type is in these records."""
    return Counter(header(record, "ce_id") for record in records if header(record, "ce_type") == type)
