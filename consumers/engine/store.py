"""The RocksDB side of a Faust table: where partitions are opened, restored and closed.

All partitions share one block cache and one budget for memtables; a store that was away for too long to
trust (compaction may have dropped tombstones it never saw) is wiped and restored from its topic.
"""

import os
from pathlib import Path
from typing import Any, Final

import rocksdict
from faust.stores import rocksdb
from faust.tables.table import Table

from consumers.engine.statedb import ALIVE, StateDb
from events.times import now_ms

CACHE_BYTES: Final = 32 << 20
MEMTABLE_BYTES: Final = 32 << 20
MEMTABLE_FILTER: Final = 0.02  # of a memtable, for a filter: nearly every id that is looked up is a new one
MAX_AWAY_MS: Final = 12 * 3600 * 1000  # half of Kafka's default delete.retention.ms of 24 h


class SharedMemory:
    """The caches every partition database of this process shares."""

    def __init__(self) -> None:
        self.cache = rocksdict.Cache(CACHE_BYTES)
        self.memtables = rocksdict.WriteBufferManager(MEMTABLE_BYTES, False)

    def options(self) -> Any:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_max_open_files(64)
        options.set_write_buffer_size(8 << 20)
        options.set_max_write_buffer_number(3)
        options.set_write_buffer_manager(self.memtables)
        options.set_memtable_prefix_bloom_ratio(MEMTABLE_FILTER)
        options.set_memtable_whole_key_filtering(True)
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self.cache)
        blocks.set_bloom_filter(10, False)
        blocks.set_cache_index_and_filter_blocks(True)
        options.set_block_based_table_factory(blocks)
        return options


class StateStore(rocksdb.Store):  # type: ignore[misc]
    """A Faust store whose partitions are `StateDb`s and are restored in batches."""

    def __init__(self, *args: Any, memory: SharedMemory, indexed: bool, **options: Any) -> None:
        self.memory = memory
        self.indexed = indexed
        self.partitions: dict[int, StateDb] = {}
        super().__init__(*args, **options)

    def _open_for_partition(self, partition: int) -> Any:
        path = self.partition_path(partition)
        os.makedirs(Path(path).parent, exist_ok=True)
        db = self._open(str(path))
        alive = db.get(ALIVE)
        if alive is not None and now_ms() - int(alive) > MAX_AWAY_MS:
            self.log.warning(
                "%s was away for more than %d h: restoring it anew", path, MAX_AWAY_MS // 3_600_000
            )
            db.close()
            rocksdict.Rdict.destroy(str(path), self.memory.options())
            db = self._open(str(path))
        self.partitions[partition] = StateDb(db, indexed=self.indexed)
        return db

    def _open(self, path: str) -> Any:
        return rocksdict.Rdict(path, options=self.memory.options())

    def partition(self, number: int) -> StateDb:
        """The open database of a partition."""
        self._db_for_partition(number)
        return self.partitions[number]

    def restore(self, partition: int, records: list[Any]) -> None:
        """Apply changelog records."""
        self.partition(partition).restore(records, now_ms=now_ms())

    def revoke_partitions(self, table: Any, tps: set[Any]) -> None:
        """Close what another worker owns now, so that its lock and memory are free at once."""
        for tp in tps:
            if tp.topic in table.changelog_topic.topics:
                self.close(tp.partition)

    def close(self, partition: int) -> None:
        """Close the database of a partition; the next use opens it again."""
        db = self.partitions.pop(partition, None)
        self._dbs.pop(partition, None)
        if db is not None:
            db.close()

    async def stop(self) -> None:
        for partition in list(self._dbs):
            self.close(partition)


class StateTable(Table):  # type: ignore[misc]
    """A Faust table that holds state records; `changelog_topic` is ours, by our name."""

    def __init__(self, app: Any, *, memory: SharedMemory, indexed: bool, **options: Any) -> None:
        self._memory, self._indexed = memory, indexed
        super().__init__(app, key_type=bytes, value_type=bytes, **options)

    def _new_store(self) -> StateStore:
        return StateStore(
            "rocksdb:",
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            driver="rocksdict",
            loop=self.loop,
            memory=self._memory,
            indexed=self._indexed,
        )
