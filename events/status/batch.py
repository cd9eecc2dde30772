"""Folding a batch of records into the store: one read of the jobs they touch, one atomic write."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from events.status import folded
from events.status.folded import Folded, Listing
from events.status.keys import (
    ANSWER,
    COUNT,
    CURSOR,
    EVENT,
    JOB,
    LETTER,
    LETTER_OF,
    LETTER_TIME,
    LISTED,
    PARENT,
    ROOT,
    SCHEDULE,
    fold_key,
    inverted,
    job_key,
    lane,
    related,
)
from events.status.letters import facts_of
from events.status.partitions import PartitionFold, Place
from events.status.saying import Said, json_of, nothing, said_by
from events.status.store import Partition, Store, Write
from events.topics import Kind
from schemas.state import COMMAND_PREFIX, SCHEDULE_PREFIX, is_reserved

LETTERS: Final = b"\0letters\0"
"""Of the count of a source's letters: no task has such a name."""


_INDEXES: Final = (EVENT, PARENT, ROOT, SCHEDULE)
"""Of what a job belongs to, in the order of `Listing`."""


class Folding:
    """Folds records into a store. Belongs to one thread."""

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self.folds = store.folds()
        self.counts: Counter[bytes] = Counter(store.counts())
        self._recounted: dict[bytes, int] = {}
        self.positions: dict[Partition, int] = {place: fold.offset for place, fold in self.folds.items()}

    def begin(self, partition: Partition, offset: int) -> None:
        """Where to begin with a partition that was never read."""
        self.folds[partition] = PartitionFold(offset)
        self.positions[partition] = offset

    def apply(self, batches: Mapping[Partition, tuple[Place, Sequence[Any]]]) -> set[str]:
        """Fold what was read; returns the ids of jobs that changed, and `command/<id>` of answers."""
        writes: list[Write] = []
        said: list[Said] = []
        changed: set[str] = set()
        counted: Counter[bytes] = Counter()
        now_ms = self._now_ms()
        for partition, (place, records) in batches.items():
            fold = self.folds.setdefault(partition, PartitionFold())
            of_jobs: list[Any] = []
            for record in records:
                if record.offset < fold.offset:
                    continue
                fold.offset = record.offset + 1
                if place.has_fences and not fold.counts(record):
                    continue
                if place.kind is Kind.DLQ:
                    self._letter(record, partition, place.source, writes, counted)
                elif place.has_fences and is_reserved(record.key):
                    changed.update(self._reserved(record, place, writes))
                else:
                    of_jobs.append(record)
            said.extend(said_by(of_jobs, place, partition, now_ms))
            writes.append((fold_key(*partition), fold.pack()))
        changed |= self._fold(said, writes, counted)
        self._write(writes, counted)
        for partition in batches:
            self.positions[partition] = self.folds[partition].offset
        return changed

    def skip(self, positions: Mapping[Partition, int]) -> None:
        """Note holes: compaction leaves offsets without records."""
        writes: list[Write] = []
        for partition, offset in positions.items():
            fold = self.folds.get(partition)
            if fold is not None and offset > fold.offset:
                fold.offset = offset
                writes.append((fold_key(*partition), fold.pack()))
        if writes:
            self._store.write(writes)
            self.positions.update((partition, self.folds[partition].offset) for partition in positions)

    def sweep(self, start: bytes, limit: int) -> bytes | None:
        """Forget what is over among the next `limit` jobs; returns where to go on, None at the end."""
        seen: list[str] = []
        resume = None
        for key, _ in self._store.scan(JOB, start):
            if len(seen) >= limit:
                resume = key
                break
            seen.append(key[1:].decode())
        writes: list[Write] = []
        counted: Counter[bytes] = Counter()
        self._fold([(id, nothing) for id in seen], writes, counted, only_over=True)
        self._write(writes, counted)
        return resume

    def forget_letters(self, first: Mapping[Partition, int], limit: int) -> None:
        """Drop the oldest letters, before the first offset that their partition still has."""
        writes: list[Write] = []
        counted: Counter[bytes] = Counter()
        for _, (_, value) in zip(range(limit), self._store.scan_back(LETTER), strict=False):
            letter = orjson.loads(value)
            if letter["offset"] < first.get((letter["topic"], letter["partition"]), 0):
                writes += ((key, None) for key in _letter_keys(letter))
                counted[LETTERS + letter["source"].encode()] -= 1
        self._write(writes, counted)

    def forget_answers(self, limit: int) -> None:
        """Drop answers to commands that have expired, among the first `limit`."""
        now_ms, answers = self._now_ms(), zip(range(limit), self._store.scan(ANSWER), strict=False)
        over = [key for _, (key, value) in answers if int.from_bytes(value[:8], "big") <= now_ms]
        self._write([(key, None) for key in over], Counter())

    def recounted(self) -> dict[bytes, int]:
        """The counts that changed since this was asked before."""
        found, self._recounted = self._recounted, {}
        return found

    # -- what records say

    def _reserved(self, record: Any, place: Place, writes: list[Write]) -> Iterable[str]:
        key, value = record.key, record.value
        document = None if value is None else json_of(value)
        told = orjson.dumps(document) if isinstance(document, dict) else None
        if key.startswith(COMMAND_PREFIX) and place.kind is Kind.LEDGER:
            answer = None if told is None else value[8:16] + told  # behind when it expires
            writes.append((ANSWER + key[len(COMMAND_PREFIX) :], answer))
            return (key.decode(errors="replace"),)
        if key.startswith(SCHEDULE_PREFIX) and place.kind is Kind.RETRY:
            writes.append((CURSOR + key[len(SCHEDULE_PREFIX) :], told))
        return ()

    def _letter(
        self,
        record: Any,
        partition: Partition,
        source: str,
        writes: list[Write],
        counted: Counter[bytes],
    ) -> None:
        facts = facts_of(record, partition, source)
        values = (orjson.dumps(facts), facts["id"].encode(), inverted(facts["ms"]))
        writes += zip(_letter_keys(facts), values, strict=True)
        counted[LETTERS + source.encode()] += 1

    # -- jobs and their indexes

    def _fold(
        self, said: list[Said], writes: list[Write], counted: Counter[bytes], *, only_over: bool = False
    ) -> set[str]:
        ids = list(dict.fromkeys([id for id, _ in said]))
        stored = self._store.get_many([job_key(id) for id in ids])
        jobs: dict[str, Folded] = {
            id: {} if raw is None else orjson.loads(raw) for id, raw in zip(ids, stored, strict=True)
        }
        for id, change in said:
            change(jobs[id])
        now_ms = self._now_ms()
        changed = set()
        for id, job in jobs.items():
            before = job.get("i")
            if only_over and folded.clear(job, now_ms):
                continue
            after = None if only_over else folded.listing(job)
            if before is None and after is None:
                continue
            changed.add(id)
            _index(id.encode(), None if before is None else Listing(*before), after, writes, counted)
            if after is None:
                writes.append((job_key(id), None))
            else:
                job["i"] = list(after)
                writes.append((job_key(id), folded.pack(job)))
        return changed

    def _write(self, writes: list[Write], counted: Counter[bytes]) -> None:
        totals = {key: max(0, self.counts[key] + number) for key, number in counted.items() if number}
        writes.extend((COUNT + key, total.to_bytes(8, "big")) for key, total in totals.items())
        if writes:
            self._store.write(writes)
        dict.update(self.counts, totals)  # a Counter's own would add them
        self._recounted |= totals


def _index(
    id: bytes, before: Listing | None, after: Listing | None, writes: list[Write], counted: Counter[bytes]
) -> None:
    """Move a job's entries from where they were to where they belong."""
    if before == after:
        return
    if before is not None:
        task, state, time_ms, *names = before
        where, end = lane(task, state), inverted(time_ms) + id
        counted[where] -= 1
        writes.append((LISTED + where + end, None))
        if any(names):
            writes.extend((key + end, None) for key in _related(names))
    if after is not None:
        task, state, time_ms, *names = after
        where, end = lane(task, state), inverted(time_ms) + id
        counted[where] += 1
        writes.append((LISTED + where + end, b""))
        if any(names):
            writes.extend((key + end, state.encode()) for key in _related(names))


def _related(names: Sequence[str | None]) -> Iterable[bytes]:
    """What the entries of a job under its event, parent, root and schedule begin with."""
    for prefix, name in zip(_INDEXES, names, strict=True):
        if name:
            yield related(prefix, name)


def _letter_keys(facts: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Where a letter is kept: by time, by its job, by its id."""
    time, id = inverted(facts["ms"]), facts["id"].encode()
    return LETTER + time + id, LETTER_OF + facts["job_id"].encode() + b"\0" + time, LETTER_TIME + id
