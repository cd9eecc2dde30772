"""The read model's database on disk: one writes it, others may follow it. Every method is synchronous, short,
and safe in any thread.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import rocksdict
import structlog

from events.errors import InvalidSettings
from events.status.keys import COUNT, FOLD, META, WRITES
from events.status.partitions import PartitionFold

log = structlog.get_logger(__name__)

FORMAT: Final = 1
MAX_AWAY_MS: Final = 12 * 3600 * 1000
"""Half of Kafka's default `delete.retention.ms`: after that tombstones may be gone which we never read."""
_CACHE_BYTES: Final = 32 << 20
_MEMTABLE_BYTES: Final = 16 << 20
_LOGS_KEPT: Final = 4  # RocksDB's own
_TRIES: Final = 20
_FOLLOWER: Final = "follower"
"""Where, inside the database's folder, one that follows it writes its log."""

Partition = tuple[str, int]
Write = tuple[bytes, bytes | None]


class About(NamedTuple):
    """What a database is. `fresh_ms` is when it had last read all there was."""

    format: int
    app_id: str
    cluster: str
    fresh_ms: int


class View:
    """What can be asked of the database."""

    def __init__(self, path: Path, db: Any) -> None:
        self.path = path
        self._db = db

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(key)
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""
        values: list[bytes | None] = self._db.get(list(keys)) if keys else []
        return values

    @property
    def written(self) -> int:
        """The number of the newest write that is seen."""
        return int.from_bytes(self._db.get(WRITES) or b"", "big")

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

    def close(self) -> None:
        self._db.close()


class Store(View):
    """The database of the one who writes. `open_store` opens it, wiping one that cannot be trusted."""

    def __init__(self, path: Path, db: Any, about: About) -> None:
        super().__init__(path, db)
        self.about = about
        self.writes = self.written

    def write(self, writes: Iterable[Write]) -> None:
        """All or nothing."""
        self.writes += 1
        batch = rocksdict.WriteBatch(raw_mode=True)
        batch.put(WRITES, self.writes.to_bytes(8, "big"))
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


class FollowingView(View):
    """The database as another process writes it, as far as `catch_up` has followed.

    `get` and `get_many` see a whole write or nothing of it. A `scan` that goes on while others catch up may
    see a write in part: look up what an index names.
    """

    def catch_up(self, write: int) -> None:
        """See everything up to the writer's write of this number, at least."""
        # RocksDB reads what was flushed, then the logs of what was not. It says nothing of a log that was
        # flushed and deleted in between: its end would be missing, or hidden behind what we have of its
        # beginning, until something is read of a later log.
        logs = self._logs()
        for left in reversed(range(_TRIES)):
            try:
                self._db.try_catch_up_with_primary()
            except Exception as error:
                if type(error) is not Exception:  # all RocksDB's own errors are plain ones
                    raise
                log.warning("status_view_not_caught_up", error=str(error))
                self.open_again()
            before, logs = logs, self._logs()
            if logs == before and self.written >= write:
                return
            if left < _TRIES // 2:
                log.warning("status_view_opened_again", write=write, seen=self.written)
                self.open_again()
        raise RuntimeError(f"{self.path}: write {write} is not there, only {self.written}")

    def open_again(self) -> None:
        """Begin anew, as after the writer did."""
        self._db = _follow(self.path)  # what still reads the other one keeps it

    def _logs(self) -> set[str]:
        return {name for name in os.listdir(self.path) if name.endswith(".log")}


def open_following(path: Path) -> FollowingView:
    """The database at `path`, which another process has open."""
    return FollowingView(path, _follow(path))


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


def _follow(path: Path) -> Any:
    options = _options()
    options.set_max_open_files(-1)  # what the writer deletes stays readable as long as it is open here
    where = rocksdict.AccessType.secondary(str(path / _FOLLOWER))
    return rocksdict.Rdict(str(path), options=options, access_type=where)


def _options() -> Any:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_max_open_files(256)
    options.set_keep_log_file_num(_LOGS_KEPT)
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
