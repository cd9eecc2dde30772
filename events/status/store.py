"""The read model's database on disk. Every method is synchronous, short, and safe in any thread."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import rocksdict
import structlog

from events.errors import InvalidSettings
from events.status.keys import COUNT, FOLD, META
from events.status.partitions import PartitionFold

log = structlog.get_logger(__name__)

FORMAT: Final = 1
MAX_AWAY_MS: Final = 12 * 3600 * 1000
"""Half of Kafka's default `delete.retention.ms`: after that tombstones may be gone which we never read."""
_CACHE_BYTES: Final = 32 << 20
_MEMTABLE_BYTES: Final = 16 << 20

Partition = tuple[str, int]
Write = tuple[bytes, bytes | None]


class About(NamedTuple):
    """What a database is. `fresh_ms` is when it had last read all there was."""

    format: int
    app_id: str
    cluster: str
    fresh_ms: int


class Store:
    """One RocksDB. `open_store` opens it, wiping one that cannot be trusted."""

    def __init__(self, path: Path, db: Any, about: About) -> None:
        self.path = path
        self.about = about
        self._db = db

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(key)
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""
        values: list[bytes | None] = self._db.get(list(keys)) if keys else []
        return values

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """(key, value) of what begins with `prefix`, in order, from `start` on."""
        iterator = self._db.iter()
        iterator.seek(start or prefix)
        while iterator.valid():
            key: bytes = iterator.key()
            if not key.startswith(prefix):
                return
            yield key, iterator.value()
            iterator.next()

    def scan_back(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same from the last one backwards."""
        iterator = self._db.iter()
        iterator.seek_for_prev(prefix + b"\xff" * 16)
        while iterator.valid():
            key: bytes = iterator.key()
            if not key.startswith(prefix):
                return
            yield key, iterator.value()
            iterator.prev()

    def write(self, writes: Iterable[Write]) -> None:
        """All or nothing."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in writes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._db.write(batch)

    def folds(self) -> dict[Partition, PartitionFold]:
        """How far every partition was read."""
        found = {}
        for key, value in self.scan(FOLD):
            topic, _, number = key[1:].rpartition(b"\0")
            found[topic.decode(), int(number)] = PartitionFold.unpack(value)
        return found

    def counts(self) -> dict[bytes, int]:
        """How many there are, by what is behind the prefix of the key."""
        return {key[1:]: int.from_bytes(value, "big") for key, value in self.scan(COUNT)}

    def fresh(self, now_ms: int) -> None:
        """Remember that all was read by now."""
        self.about = self.about._replace(fresh_ms=now_ms)
        self.write([(META, orjson.dumps(self.about._asdict()))])

    def wipe(self) -> None:
        """Forget everything but what this database is."""
        self._db.delete_range(b"\0", b"\xff")
        self.fresh(self.about.fresh_ms)

    def close(self) -> None:
        self._db.close()


def open_store(path: Path, *, app_id: str, cluster: str = "", now_ms: int | None = None) -> Store:
    """The database at `path`, empty if it was of another app, cluster or format, or away for too long.

    Raises InvalidSettings when the folder cannot be used or another process uses it.
    """
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    try:
        path.mkdir(parents=True, exist_ok=True)
        db = _open(path)
        wanted = About(FORMAT, app_id, cluster, now_ms)
        found = db.get(META)
        why = None if found is None else _why_not(found, wanted)
        if why is not None:
            log.warning("status_read_anew", path=str(path), why=why)
            db.close()
            rocksdict.Rdict.destroy(str(path), _options())
            db, found = _open(path), None
    except (OSError, rocksdict.DbClosedError) as error:
        raise InvalidSettings(f"{path}: not usable for the read model ({error})") from None
    except Exception as error:
        if type(error) is not Exception:  # all RocksDB's own errors are plain ones
            raise
        raise InvalidSettings(
            f"{path}: the read model cannot open its database; one process at a time may use it ({error})"
        ) from None
    store = Store(path, db, wanted if found is None else About(**orjson.loads(found)))
    if found is None:
        store.fresh(now_ms)
    return store


def _why_not(found: bytes, wanted: About) -> str | None:
    try:
        about = About(**orjson.loads(found))
    except (ValueError, TypeError):
        return "it is of an unknown format"
    if (about.format, about.app_id) != (wanted.format, wanted.app_id):
        return f"it is of app {about.app_id!r} in format {about.format}"
    if wanted.cluster and about.cluster and about.cluster != wanted.cluster:
        return "it is of another Kafka cluster"
    if wanted.fresh_ms - about.fresh_ms > MAX_AWAY_MS:
        return f"it was away for more than {MAX_AWAY_MS // 3_600_000} h"
    return None


def _open(path: Path) -> Any:
    return rocksdict.Rdict(str(path), options=_options())


def _options() -> Any:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_max_open_files(256)
    options.set_write_buffer_size(_MEMTABLE_BYTES)
    options.set_max_write_buffer_number(4)
    options.increase_parallelism(2)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(rocksdict.Cache(_CACHE_BYTES))
    blocks.set_bloom_filter(10, False)
    blocks.set_cache_index_and_filter_blocks(True)
    options.set_block_based_table_factory(blocks)
    return options
