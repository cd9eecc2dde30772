"""What Kafka holds in the end, read record by record without Headrace's own folding."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any, NamedTuple

import orjson

from events.log_reader import LogReader
from schemas.deadletter import DeadLetterHeader
from schemas.state import HEADER, decode_state, is_fence, writer_of

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
        long. (Whoever detaches it writes this record then, whatever was written before.)"""
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
    foreign: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    term: int = 0  # of the last fence: one of an older generation of the group came late

    def add(self, record: Any, names: dict[int, str]) -> None:
        writer = writer_of(record.value, record.headers)
        owner = self.fences[-1].writer if self.fences else None
        if is_fence(record.key):
            term = HEADER.unpack_from(record.value)[0]
            late, self.term = term < self.term, max(term, self.term)
            if writer != owner and not late:
                self.fences.append(Fence(record.timestamp, record.offset, writer))
            return
        state = None if record.value is None else decode_state(record.value)
        if state is not None and "worker" in state.document:
            names.setdefault(writer, state.document["worker"])
        entry = Entry(
            record.timestamp,
            record.offset,
            0 if state is None else state.revision,
            None if record.value is None else record.value[32:],
            {} if state is None else state.document,
        )
        if owner in (None, writer):
            self.entries[record.key.decode()].append(entry)
        else:
            self.foreign[record.key.decode()].append(entry)

    def let_go_ms(self, id: str) -> float:
        """From when on the offset of a job might be committed; infinity for never.

        That it runs is not enough for the worker that wrote so; whoever took over from it has the job from
        that record, and needs its event no more.
        """
        return min((self._lets_go_ms(entry) for entry in self.entries.get(id, ())), default=math.inf)

    def _lets_go_ms(self, entry: Entry) -> float:
        if entry.lets_go:
            return entry.at_ms
        return next((fence.at_ms for fence in self.fences if fence.offset > entry.offset), math.inf)


@dataclass
class Evidence:
    """Everything of one source, by partition. `inputs` are the records of its input topics."""

    retry: dict[int, StateLog] = field(default_factory=lambda: defaultdict(StateLog))
    ledger: dict[int, StateLog] = field(default_factory=lambda: defaultdict(StateLog))
    letters: list[Any] = field(default_factory=list)
    inputs: dict[tuple[str, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    names: dict[int, str] = field(default_factory=dict)

    def finished(self) -> dict[str, list[Entry]]:
        """The ledger's records of every job.

        An owner that found a foreign record of a job it had not finished wrote its own truth over it: a
        tombstone, which says nothing about what it finishes later. One after a record that counts takes the
        job out of the ledger, and out of what is told here.
        """
        found = {}
        for log in self.ledger.values():
            for id, entries in log.entries.items():
                told = list(dropwhile(lambda entry: entry.body is None, entries))
                if told and told[-1].body is not None:
                    found[id] = told
        return found

    def owner_at(self, partition: int, at_ms: float) -> tuple[Fence | None, str | None]:
        """Whose the partition was, as far as records name their writers."""
        before = [fence for fence in self.retry[partition].fences if fence.at_ms <= at_ms]
        return (before[-1], self.names.get(before[-1].writer)) if before else (None, None)

    def changed_hands(self, partition: int, after_ms: float, before_ms: float) -> list[Fence]:
        """The fences of new owners between two moments."""
        return [each for each in self.retry[partition].fences if after_ms - 1 <= each.at_ms <= before_ms + 1]

    @property
    def foreign(self) -> int:
        logs = (*self.retry.values(), *self.ledger.values())
        return sum(len(entries) for log in logs for entries in log.foreign.values())

    def story(self, partition: int, job_id: str) -> list[str]:
        """All that was written about a job, and who owned its partition."""
        lines = []
        for name, log in (("retry", self.retry[partition]), ("ledger", self.ledger[partition])):
            lines += [
                f"{fence.at_ms} {name} of {self.names.get(fence.writer)}: {fence}" for fence in log.fences
            ]
            for verdict, entries in (("", log.entries), ("ignored ", log.foreign)):
                lines += [
                    f"{each.at_ms} {name} {verdict}{each._replace(body=None)}"
                    for each in entries.get(job_id, [])
                ]
        return sorted(lines)

    def letter_names(self) -> Iterator[tuple[str, int]]:
        """(job id, or partition:offset where no job could be read, when) of every dead letter."""
        for letter in self.letters:
            job_id = header_of(letter, DeadLetterHeader.JOB_ID)
            place = f"{letter.partition}:{header_of(letter, DeadLetterHeader.ORIGIN_OFFSET)}"
            yield job_id or place, letter.timestamp

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


def header_of(record: Any, name: str) -> str:
    content: bytes = dict(record.headers).get(name, b"")
    return content.decode()


def json_of(record: Any) -> Any:
    return orjson.loads(record.value)
