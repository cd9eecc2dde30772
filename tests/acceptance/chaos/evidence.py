"""What Kafka holds in the end, read record by record without Headrace's own folding."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from events.log_reader import LogReader
from schemas.state import decode_state, header_of, is_fence, writer_of

DETACHED_AFTER_MS = 30_000  # the default of HEADRACE_DETACH_AFTER_SECONDS


class Entry(NamedTuple):
    """A state record that counts: written by the owner its partition had at that place in the log."""

    at_ms: int
    offset: int
    revision: int
    body: bytes | None
    document: dict[str, Any]

    @property
    def lets_go(self) -> bool:
        """Whether the offset of its job may be committed: that a job runs is not enough, but after so
        long."""
        if self.document.get("state", "running") != "running":
            return True
        started_ms = self.document.get("started_ms")
        return started_ms is not None and self.at_ms - started_ms >= DETACHED_AFTER_MS


class Fence(NamedTuple):
    """From here on another writer owns the partition."""

    at_ms: int
    offset: int
    writer: int


@dataclass
class StateLog:
    """One partition of a state topic."""

    fences: list[Fence] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    foreign: int = 0
    term: int = 0  # of the last fence: one of an older generation of the group came late

    def add(self, record: Any, names: dict[int, str]) -> None:
        writer = writer_of(record.value, record.headers)
        owner = self.fences[-1].writer if self.fences else None
        if is_fence(record.key):
            term = header_of(record.value)[0]
            if writer != owner and term >= self.term:
                self.term = term
                self.fences.append(Fence(record.timestamp, record.offset, writer))
            return
        state = None if record.value is None else decode_state(record.value)
        if state is not None and "worker" in state.document:
            names.setdefault(writer, state.document["worker"])
        if owner not in (None, writer):
            self.foreign += 1
            return
        entry = Entry(
            record.timestamp,
            record.offset,
            0 if state is None else state.revision,
            None if record.value is None else record.value[32:],
            {} if state is None else state.document,
        )
        self.entries[record.key.decode()].append(entry)


@dataclass
class Evidence:
    """Everything of one source, by partition. `inputs` are the records of its input topics."""

    retry: dict[int, StateLog] = field(default_factory=lambda: defaultdict(StateLog))
    ledger: dict[int, StateLog] = field(default_factory=lambda: defaultdict(StateLog))
    letters: list[Any] = field(default_factory=list)
    inputs: dict[tuple[str, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    names: dict[int, str] = field(default_factory=dict)

    def finished(self) -> dict[str, list[Entry]]:
        return {id: entries for log in self.ledger.values() for id, entries in log.entries.items()}

    def owner_at(self, partition: int, at_ms: float) -> tuple[Fence | None, str | None]:
        """Whose the partition was, as far as records name their writers."""
        before = [fence for fence in self.retry[partition].fences if fence.at_ms <= at_ms]
        return (before[-1], self.names.get(before[-1].writer)) if before else (None, None)

    def changed_hands(self, partition: int, after_ms: float, before_ms: float) -> list[Fence]:
        """The fences of new owners between two moments."""
        return [each for each in self.retry[partition].fences if after_ms - 1 <= each.at_ms <= before_ms + 1]

    @property
    def foreign(self) -> int:
        return sum(log.foreign for logs in (self.retry, self.ledger) for log in logs.values())

    def unfinished(self) -> list[str]:
        """Jobs that are parked and not known as finished at that revision or a higher one."""
        found = []
        for partition, log in self.retry.items():
            done = self.ledger[partition].entries
            for id, entries in log.entries.items():
                last = entries[-1]
                if last.body is not None and all(last.revision > each.revision for each in done.get(id, [])):
                    found.append(id)
        return found


async def evidence_of(reader: LogReader, app_id: str, source: str, inputs: Iterable[str] = ()) -> Evidence:
    """Read the topics of a source from their beginning."""
    found = Evidence()
    for kind, logs in (("retry", found.retry), ("ledger", found.ledger)):
        async for record in reader.read([f"{app_id}.{source}.{kind}"]):
            logs[record.partition].add(record, found.names)
    async for record in reader.read([f"{app_id}.{source}.dlq"]):
        found.letters.append(record)
    async for record in reader.read(inputs):
        found.inputs[record.topic, record.partition].append(record)
    return found
