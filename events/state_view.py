"""What the state topics of a source say about its jobs, folded the way every reader folds them.

A record counts when its writer is that of the last fence before it in its partition, fences of an older term
than one before them left aside; before the first fence every record counts. A job in both topics is what its
higher revision says, on a tie the ledger.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from events.log_reader import LogReader, LogRecord
from events.topics import ledger_topic, retry_topic
from schemas.job import JobState
from schemas.state import HEADER, Headers, decode_state, header_of, is_fence, writer_of


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the state topics know it. `due_ms` is 0 for a job that waits for nothing."""

    job_id: str
    source: str
    partition: int
    state: JobState
    task: str
    attempt: int
    due_ms: int
    expires_ms: int
    revision: int
    document: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Everything known, in one flat object."""
        fields = {"job_id": self.job_id, "source": self.source, "partition": self.partition}
        return {
            **fields,
            **self.document,
            "due_ms": self.due_ms or None,
            "expires_ms": self.expires_ms or None,
            "revision": self.revision,
        }


@dataclass(slots=True)
class StatePartition:
    """The fold of one partition of one state topic: the records that count, by key."""

    writer: int | None = None
    term: int = 0
    records: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Fold the next record of the partition."""
        if not self.counts(key, value, headers):
            return
        assert key is not None
        if value is None:
            self.records.pop(key, None)
        else:
            self.records[key] = value

    def counts(self, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        """Whether the next record of the partition says anything about a job. Fences are noted."""
        if key is None or (value is not None and len(value) < HEADER.size):
            return False  # not written by any worker
        writer = writer_of(value, headers)
        if is_fence(key):
            if value is not None and (term := header_of(value)[0]) >= self.term:
                self.writer, self.term = writer, term
            return False
        return self.writer is None or writer == self.writer


@dataclass(frozen=True, slots=True)
class SourceView:
    """The fold of both state topics of one source."""

    source: str
    retry: dict[int, StatePartition] = field(default_factory=dict)
    ledger: dict[int, StatePartition] = field(default_factory=dict)

    def add(self, record: LogRecord, *, ledger: bool) -> None:
        """Fold the next record of a topic."""
        partitions = self.ledger if ledger else self.retry
        partition = partitions.setdefault(record.partition, StatePartition())
        partition.add(record.key, record.value, record.headers)

    def jobs(self, now_ms: int) -> Iterator[JobView]:
        """Every job known and not expired."""
        for number in sorted(self.retry.keys() | self.ledger.keys()):
            parked = self.retry.get(number, StatePartition()).records
            finished = self.ledger.get(number, StatePartition()).records
            for key in parked.keys() | finished.keys():
                view = self._job(key, _newer(parked.get(key), finished.get(key)), number)
                if view is not None and not 0 < view.expires_ms <= now_ms:
                    yield view

    def _job(self, key: bytes, value: bytes, partition: int) -> JobView | None:
        try:
            record = decode_state(value)
            document = record.document
            return JobView(
                job_id=key.decode(),
                source=self.source,
                partition=partition,
                state=JobState(document["state"]),
                task=document["task"],
                attempt=document["attempt"],
                due_ms=record.due_ms,
                expires_ms=record.expires_ms,
                revision=record.revision,
                document=document,
            )
        except (ValueError, KeyError, TypeError):
            return None  # a cursor or another record that is no job


def _newer(parked: bytes | None, finished: bytes | None) -> bytes:
    if parked is None or finished is None:
        return parked or finished or b""
    return parked if header_of(parked)[3] > header_of(finished)[3] else finished


def sources_of(app_id: str, topics: Iterable[str]) -> list[str]:
    """The sources whose state topics are among `topics`."""
    found = set()
    for topic in topics:
        source = topic.removeprefix(f"{app_id}.").rpartition(".")[0]
        if topic in (retry_topic(app_id, source), ledger_topic(app_id, source)):
            found.add(source)
    return sorted(found)


async def read_view(reader: LogReader, app_id: str, source: str) -> SourceView:
    """Read both state topics of a source."""
    view = SourceView(source)
    ledger = ledger_topic(app_id, source)
    # The ledger last: a job that finishes while we read is then seen finished, never missing.
    async for record in reader.read([retry_topic(app_id, source)]):
        view.add(record, ledger=False)
    async for record in reader.read([ledger]):
        view.add(record, ledger=True)
    return view
