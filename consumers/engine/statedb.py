"""One partition of a state table on disk: records by job id, and for parked jobs an index ordered by (due,
id).

Records and the changelog offset they reach to go into one WriteBatch, so a kill leaves either both or
neither. The index is written blindly and checked when it is read: an entry whose record is gone or due at
another time is stale.
"""

import struct
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import rocksdict

from schemas.state import HEADER, header_of, is_fence, is_reserved

RECORD: Final = b"j:"
DUE: Final = b"t:"
_DUE_END: Final = b"t;"
OFFSET: Final = b"__faust\0offset__"
FENCE: Final = b"__headrace\0fence"
ALIVE: Final = b"__headrace\0alive"
WRITER_HEADER: Final = "headrace-writer"
_FENCE: Final = struct.Struct(">Q?Q")
_NEVER: Final = bytes(8)  # as a due time


class Change(NamedTuple):
    """A record to write, or to remove when `value` is None. `old_due_ms` names the index entry it
    replaces."""

    id: bytes
    value: bytes | None
    old_due_ms: int = 0


class Fence(NamedTuple):
    """The fence that holds: only records of its writer count after it. `released` = it let go in good
    order. `term`, the group's generation, orders fences: one of an older term came late."""

    writer: int
    released: bool
    term: int = 0


def due_key(due_ms: int, id: bytes) -> bytes:
    return DUE + due_ms.to_bytes(8, "big") + id


class StateDb:
    """Records of one state partition. Every method is synchronous, and short but for one."""

    def __init__(self, db: "rocksdict.Rdict", *, indexed: bool) -> None:
        self._db = db
        self.indexed = indexed
        raw = db.get(OFFSET)
        self.offset: int = int(raw) if raw is not None else -1
        self.fence = _read_fence(db.get(FENCE))
        self.previous_fence: Fence | None = None  # of the owner before the one whose fence is the last
        self.cursor: bytes = DUE
        self._compacting = threading.Lock()
        self._closed = False
        self.has_records = next(iter(self._keys(RECORD, 1)), None) is not None

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]:
        """The values of `ids`, in their order."""
        if not self.has_records:
            return [None] * len(ids)
        values: list[bytes | None] = self._db.get([RECORD + id for id in ids])
        return values

    def apply(self, changes: Iterable[Change], *, offset: int, now_ms: int) -> None:
        """Write what the broker acknowledged up to changelog `offset`."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for change in changes:
            self._put(batch, change)
        self.offset = max(self.offset, offset)
        batch.put(OFFSET, b"%d" % self.offset)
        batch.put(ALIVE, b"%d" % now_ms)
        self._db.write(batch)

    def _put(self, batch: Any, change: Change) -> None:
        id, value, old_due_ms = change
        if self.indexed and old_due_ms:
            batch.delete(due_key(old_due_ms, id))
        if value is None:
            batch.delete(RECORD + id)
            return
        self.has_records = True
        batch.put(RECORD + id, value)
        if self.indexed and not (value[:8] == _NEVER and is_reserved(id)):
            key = DUE + value[:8] + id
            batch.put(key, b"")
            if key < self.cursor:
                self.cursor = key

    def restore(self, records: Sequence[Any], *, now_ms: int) -> int:
        """Apply changelog records read from the broker; returns how many counted.

        A record counts when its writer is that of the last fence before it; before the first fence every
        one does.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        counted = 0
        for record in records:
            if record.offset <= self.offset:
                continue
            self.offset = record.offset
            counted += self._restore_one(batch, record, now_ms)
        batch.put(OFFSET, b"%d" % self.offset)
        batch.put(ALIVE, b"%d" % now_ms)
        if self.fence is not None:
            batch.put(FENCE, _FENCE.pack(*self.fence))
        self._db.write(batch)
        return counted

    def _restore_one(self, batch: Any, record: Any, now_ms: int) -> int:
        key, value = record.key, record.value
        if key is None or (value is not None and len(value) < HEADER.size):
            return 0  # not written by any worker
        writer, expires_ms = _writer_and_expiry(record)
        if is_fence(key):
            if value is not None:
                self._meet(fence_of(value))
            return 0
        if self.fence is not None and writer != self.fence.writer:
            return 0
        if value is None or (expires_ms and expires_ms <= now_ms):
            batch.delete(RECORD + key)
        else:
            self._put(batch, Change(key, value))
        return 1

    def _meet(self, fence: Fence) -> None:
        if self.fence is not None and fence.term < self.fence.term:
            return
        if self.fence is None or self.fence.writer != fence.writer:
            self.previous_fence = self.fence
        self.fence = fence

    def due(self, now_ms: int, limit: int) -> list[tuple[bytes, bytes]]:
        """Index entries due by `now_ms` as (index key, id), from where firing got to; it does not move the
        cursor."""
        end = DUE + (now_ms + 1).to_bytes(8, "big")
        return [(key, key[10:]) for key in self._keys(self.cursor, limit, end)]

    def fired(self, index_key: bytes) -> None:
        """Firing got past this entry; it is looked at again only after a restart."""
        self.cursor = max(self.cursor, index_key + b"\0")

    def forget_due(self, index_keys: Iterable[bytes]) -> None:
        """Remove stale index entries."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key in index_keys:
            batch.delete(key)
        self._db.write(batch)

    def next_due_ms(self) -> int | None:
        """When the first entry past the cursor is due."""
        for key in self._keys(self.cursor, 1, _DUE_END):
            return int.from_bytes(key[2:10], "big")
        return None

    def sweep(self, start: bytes, limit: int, now_ms: int) -> bytes | None:
        """Delete expired records among the next `limit` from `start`; returns where to go on, None at the
        end."""
        iterator = self._db.iter()
        iterator.seek(max(start, RECORD))
        batch, expired, seen = rocksdict.WriteBatch(raw_mode=True), 0, 0
        while iterator.valid():
            key = iterator.key()
            if not key.startswith(RECORD):
                return self._finish_sweep(batch, expired, None)
            if seen >= limit:
                return self._finish_sweep(batch, expired, key)
            seen += 1
            expires_ms = header_of(iterator.value())[1]
            if expires_ms and expires_ms <= now_ms:
                batch.delete(key)
                expired += 1
            iterator.next()
        return self._finish_sweep(batch, expired, None)

    def _finish_sweep(self, batch: Any, expired: int, resume: bytes | None) -> bytes | None:
        if expired:
            self._db.write(batch)
        return resume

    def records(self, start: bytes = RECORD, limit: int | None = None) -> Iterable[tuple[bytes, bytes]]:
        """(id, value) of every record, in the order of ids."""
        iterator = self._db.iter()
        iterator.seek(start)
        while iterator.valid() and iterator.key().startswith(RECORD) and limit != 0:
            yield iterator.key()[len(RECORD) :], iterator.value()
            limit = None if limit is None else limit - 1
            iterator.next()

    def index(self) -> Iterable[bytes]:
        """Every index key, stale ones included."""
        return self._keys(DUE, -1, _DUE_END)

    def _keys(self, start: bytes, limit: int, end: bytes | None = None) -> Iterable[bytes]:
        iterator = self._db.iter()
        iterator.seek(start)
        prefix = start[:2]
        while iterator.valid() and limit != 0:
            key: bytes = iterator.key()
            if (end is not None and key >= end) or not key.startswith(prefix):
                return
            yield key
            limit -= 1
            iterator.next()

    def compact_index(self) -> None:
        """Drop the tombstones that firing left below the cursor. Blocking: call it in a thread."""
        with self._compacting:
            try:
                if not self._closed:
                    self._db.compact_range(DUE, self.cursor)
            except Exception:
                if not self._closed:  # else it was ended for `close`
                    raise

    def close(self) -> None:
        """Close the database; a compaction that runs is ended first. It can be opened again."""
        self._closed = True
        ended = self._compacting.locked()
        if ended:
            self._db.cancel_all_background(False)
        with self._compacting:
            try:
                self._db.close()
            except Exception:
                if not ended:  # else it is closed but not flushed: what was written is in its log
                    raise


def _writer_and_expiry(record: Any) -> tuple[int, int]:
    """Who wrote a changelog record: in its header, or for a tombstone in a record header of its own."""
    if record.value is not None:
        _, expires_ms, writer, _ = header_of(record.value)
        return writer, expires_ms
    for name, content in record.headers:
        if name == WRITER_HEADER:
            return int.from_bytes(content, "big"), 0
    return 0, 0


def record_writer(record: Any) -> int:
    """Who wrote a changelog record; 0 for one that no worker wrote."""
    if record.value is not None and len(record.value) < HEADER.size:
        return 0
    return _writer_and_expiry(record)[0]


def _read_fence(raw: bytes | None) -> Fence | None:
    return None if raw is None or len(raw) != _FENCE.size else Fence(*_FENCE.unpack(raw))


def fence_of(value: bytes) -> Fence:
    """The fence a record is."""
    term, _, writer, revision = header_of(value)
    return Fence(writer, released=revision == 1, term=term)
