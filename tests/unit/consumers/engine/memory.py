"""RocksDB in memory, as far as a `StateDb` uses it; `test_memory.py` runs one suite on both."""

from bisect import bisect_left
from collections.abc import Callable, Sequence


class MemoryBatch:
    """A WriteBatch."""

    def __init__(self, raw_mode: bool = True) -> None:
        self.changes: list[tuple[bytes, bytes | None]] = []

    def put(self, key: bytes, value: bytes) -> None:
        self.changes.append((key, value))

    def delete(self, key: bytes) -> None:
        self.changes.append((key, None))


class MemoryIterator:
    """A snapshot of the keys, in order."""

    def __init__(self, content: dict[bytes, bytes]) -> None:
        self._content = dict(content)
        self._keys = sorted(content)
        self._at = 0

    def seek(self, key: bytes) -> None:
        self._at = bisect_left(self._keys, key)

    def valid(self) -> bool:
        return self._at < len(self._keys)

    def key(self) -> bytes:
        return self._keys[self._at]

    def value(self) -> bytes:
        return self._content[self._keys[self._at]]

    def next(self) -> None:
        self._at += 1


class MemoryRocks:
    """A database. `before_write` may raise: then nothing of the batch is kept, as when a process is
    killed."""

    def __init__(self, content: dict[bytes, bytes] | None = None) -> None:
        self.content = {} if content is None else content
        self.before_write: Callable[[], None] = lambda: None
        self.compacted: list[tuple[bytes, bytes]] = []

    def get(self, key: bytes | Sequence[bytes]) -> bytes | list[bytes | None] | None:
        if isinstance(key, bytes):
            return self.content.get(key)
        return [self.content.get(each) for each in key]

    def write(self, batch: MemoryBatch) -> None:
        self.before_write()
        for key, value in batch.changes:
            if value is None:
                self.content.pop(key, None)
            else:
                self.content[key] = value

    def iter(self) -> MemoryIterator:
        return MemoryIterator(self.content)

    def compact_range(self, start: bytes, end: bytes) -> None:
        self.compacted.append((start, end))

    def close(self) -> None:
        pass
