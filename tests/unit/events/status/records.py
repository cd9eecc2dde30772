"""Records as a consumer gives them, for a store that needs no Kafka."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from events.codec import encode
from events.queue_options import EnqueueOptions
from events.requests import request_event
from events.status.batch import Folding
from events.status.catalogue import followed
from events.status.store import Partition, Store, open_store
from schemas.state import WRITER_HEADER, encode_state, fence_key

APP = "app"
NOW_MS = 1_700_000_000_000
TOPICS = {
    "app.jobs": 1,
    "app.jobs.high": 1,
    "app.jobs.retry": 2,
    "app.jobs.ledger": 2,
    "app.jobs.dlq": 2,
    "app.flights.retry": 2,
    "app.flights.ledger": 2,
    "app.flights.dlq": 2,
}
PLACES = followed(APP, TOPICS)


@dataclass
class Record:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    partition: int = 0
    offset: int = -1
    timestamp: int = NOW_MS


def request(id: str, task: str = "mail", *, ms: int = NOW_MS, now_ms: int = NOW_MS, **options: Any) -> Record:
    _, key, event = request_event(APP, task, {}, EnqueueOptions(job_id=id, **options), now_ms=now_ms)
    value, headers = encode(event)
    return Record("app.jobs", key, value, headers, timestamp=ms)


def document(state: str, task: str = "mail", **more: Any) -> dict[str, Any]:
    return {
        "state": state,
        "task": task,
        "attempt": 1,
        "enqueued_ms": NOW_MS,
        "at": ["app.jobs", 0, 0],
    } | more


def retry(
    id: str, state: str = "retrying", *, revision: int = 1, due_ms: int = 0, writer: int = 1, **more: Any
) -> Record:
    value = encode_state(document(state, **more), due_ms=due_ms, writer=writer, revision=revision)
    return Record("app.jobs.retry", id.encode(), value)


def ledger(
    id: str,
    state: str = "completed",
    *,
    revision: int = 1,
    expires_ms: int = 0,
    writer: int = 1,
    **more: Any,
) -> Record:
    body = document(state, finished_ms=NOW_MS + 5, **more)
    value = encode_state(body, expires_ms=expires_ms, writer=writer, revision=revision)
    return Record("app.jobs.ledger", id.encode(), value)


def tombstone(topic: str, id: str, *, writer: int = 1) -> Record:
    return Record(topic, id.encode(), None, [(WRITER_HEADER, writer.to_bytes(8, "big"))])


def fence(topic: str, writer: int, term: int = 0) -> Record:
    return Record(topic, fence_key(0), encode_state({"released": False}, writer=writer, due_ms=term))


class Fed:
    """A store that is fed records in any order; offsets count up by themselves."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = NOW_MS
        self.folder = folder
        self.ends: dict[Partition, int] = {}
        self.open()

    def open(self) -> None:
        self.store: Store = open_store(self.folder, app_id=APP, now_ms=self.now_ms)
        self.folding = Folding(self.store, lambda: self.now_ms)

    def feed(self, *records: Record) -> set[str]:
        """In one batch."""
        batches: dict[Partition, Any] = {}
        for record in records:
            partition = record.topic, record.partition
            if record.offset < 0:
                record.offset = self.ends.get(partition, 0)
            self.ends[partition] = record.offset + 1
            batches.setdefault(partition, (PLACES[partition], []))[1].append(record)
        return self.folding.apply(batches)

    def close(self) -> None:
        self.store.close()
