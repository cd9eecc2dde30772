"""Workers whose tasks do as their events say (`modules/steered.py`), several at a time, and what they did."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from events.codec import encode
from events.topics import dlq_topic, ledger_topic
from schemas.cloudevent import CloudEvent
from schemas.state import StateRecord, decode_state, is_fence
from tests.integration.consuming import records_of
from tests.integration.observing import event, job_of, notes, observed_worker, topic_of
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

LONG_SECONDS = 90


def steered(broker: str, app_id: str, folder: Path, name: str = "a", **settings: object) -> TaskWorker:
    """A worker with its own disk; all workers of a test share the raw log. Not started yet."""
    (folder / name).mkdir(exist_ok=True)
    shared = {"session_timeout_seconds": 6, "RAW_LOG": folder / "raw.log"}
    return observed_worker(broker, app_id, folder / name, "steered", **{**shared, **settings})


@asynccontextmanager
async def running(*workers: TaskWorker) -> AsyncIterator[None]:
    """These workers are ready, and whatever happens they are gone afterwards."""
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
        yield
    finally:
        for worker in workers:
            await end(worker)


async def end(worker: TaskWorker) -> None:
    """Stop it, frozen or not."""
    if worker.process is not None and worker.process.returncode is None:
        worker.process.send_signal(signal.SIGCONT)
        await worker.stop()


async def told_to_stop(worker: TaskWorker, *, within_seconds: float = 60) -> int:
    """SIGTERM it; returns its exit code."""
    assert worker.process is not None
    worker.process.terminate()
    return await asyncio.wait_for(worker.process.wait(), within_seconds)


def asks(count: int, type: str = "steer.loose", name: str = "e", **data: Any) -> list[CloudEvent]:
    """So many events that want the same."""
    return [event(type, f"{name}{number}", **data) for number in range(count)]


async def publish_spread(
    broker: str, app_id: str, events: Iterable[CloudEvent], *, partitions: int = 1, keys: int = 0
) -> None:
    """Publish round robin over the partitions, without keys or with so many, each partition in order."""
    async with AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True) as producer:
        sent = []
        for number, each in enumerate(events):
            value, headers = encode(each)
            key = f"k{number % keys}".encode() if keys else None
            sent.append(
                await producer.send(
                    topic_of(app_id), value, key, partition=number % partitions, headers=list(headers)
                )
            )
        await asyncio.gather(*sent)


# -- what happened


def starts(folder: Path) -> Counter[str]:
    """Attempts that began, by event id."""
    return Counter(note.event_id for note in notes(folder, "started"))


async def until_started(folder: Path, events: Iterable[CloudEvent]) -> None:
    wanted = {each.id for each in events}
    await until(
        lambda: wanted <= starts(folder).keys(),
        within_seconds=LONG_SECONDS,
        saying=f"{len(wanted)} have started",
    )


async def ledger_of(broker: str, app_id: str, source: str | None = None) -> dict[str, list[StateRecord]]:
    """Every ledger record by job id, whoever wrote it."""
    found: dict[str, list[StateRecord]] = {}
    for record in await records_of(broker, ledger_topic(app_id, source or topic_of(app_id))):
        if not is_fence(record.key):
            with suppress(ValueError):  # a test may have put there what no worker wrote
                found.setdefault(record.key.decode(), []).append(decode_state(record.value))
    return found


async def until_finished(
    broker: str, app_id: str, events: Iterable[CloudEvent], *, within_seconds: float = LONG_SECONDS
) -> dict[str, StateRecord]:
    """The one ledger record of each event's job, by event id; waits for all of them."""
    wanted = {job_of(each.type.removeprefix("steer."), each.id): each.id for each in events}

    async def all_finished() -> dict[str, list[StateRecord]] | None:
        await asyncio.sleep(0.2)  # each look reads the whole topic
        found = await ledger_of(broker, app_id)
        return found if wanted.keys() <= found.keys() else None

    found = await until(
        all_finished, within_seconds=within_seconds, saying=f"{len(wanted)} jobs are finished"
    )
    assert found is not None
    assert {len(found[job_id]) for job_id in wanted} == {1}, "each job has finished once"
    return {id: found[job_id][0] for job_id, id in wanted.items()}


async def letters_of(broker: str, app_id: str, source: str | None = None) -> list[dict[str, str]]:
    """Our headers of every dead letter."""
    return [
        {
            name: content.decode()
            for name, content in record.headers
            if name.startswith("headrace-") and content is not None
        }
        for record in await records_of(broker, dlq_topic(app_id, source or topic_of(app_id)))
    ]
