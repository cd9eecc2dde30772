"""What consumers/engine/store.py (and statedb.py under it) overrides or reaches into."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import rocksdict
from faust.stores import rocksdb
from faust.tables.base import Collection
from faust.types import TP

from consumers.engine.app import new_app
from consumers.engine.statedb import Change
from consumers.engine.store import SharedMemory, StateStore, StateTable
from consumers.settings import WorkerSettings
from tests.contract.stock import Stock

stock = Stock("consumers/engine/store.py")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[StateTable]:
    app = new_app(WorkerSettings(state_dir=tmp_path), engine=SimpleNamespace())
    table = app.add_state("t.retry", 2, indexed=True, memory=SharedMemory())
    yield table
    for partition in list(table.data._dbs):
        table.data.close(partition)


def test_the_store_opens_partitions_where_ours_does() -> None:
    stock.sets(rocksdb.Store, "_dbs")
    stock.takes(rocksdb.Store._open_for_partition, "partition")
    stock.takes(rocksdb.Store.partition_path, "partition")
    stock.takes(rocksdb.Store.revoke_partitions, "table", "tps")
    stock.takes(rocksdb.Store.stop)
    stock.says(
        rocksdb.Store._db_for_partition,
        "return self._dbs[partition]",
        "self._dbs[partition] = self._open_for_partition(partition)",
    )
    stock.says(rocksdb.Store.on_rebalance, "self.revoke_partitions(")


def test_the_store_is_made_as_ours_is() -> None:
    stock.takes(Collection._new_store)
    stock.says(Collection.data.fget, "self._data = self._new_store()")
    names = ("table_name", "key_type", "key_serializer", "value_serializer", "value_type", "loop")
    stock.says(Collection._new_store_by_url, *(f"{name}=self." for name in names))
    stock.accepts(rocksdb.Store.__init__, "driver")


def test_the_options_of_rocksdict_are_there() -> None:
    stock.has(rocksdict, "Cache", "WriteBufferManager", "Options", "BlockBasedOptions", "Rdict", "WriteBatch")
    stock.has(rocksdict.Rdict, "get", "write", "iter", "close", "destroy", "compact_range")
    SharedMemory().options()


async def test_faust_finds_the_offset_we_wrote(table: StateTable) -> None:
    store, tp = table.data, TP("t.retry", 1)
    stock.holds(isinstance(store, StateStore), "the table does not use our store")
    stock.holds(store.persisted_offset(tp) is None, "an empty store has an offset")
    store.partition(1).apply([Change(b"job", b"x" * 40)], offset=7, now_ms=1)
    stock.holds(store.persisted_offset(tp) == 7, "Faust keeps the offset elsewhere than statedb.py")


async def test_a_closed_partition_is_opened_again_with_all_it_held(table: StateTable) -> None:
    table.data.partition(0).apply([Change(b"job", b"x" * 40)], offset=7, now_ms=1 << 50)
    table.data.revoke_partitions(table, {TP("t.retry", 0), TP("other", 1)})
    stock.holds(not table.data._dbs, "a revoked partition stays open, and locked")
    stock.holds(table.data.partition(0).get([b"job"]) == [b"x" * 40], "what was written is gone")


async def test_a_store_that_was_away_for_too_long_is_wiped(table: StateTable) -> None:
    table.data.partition(0).apply([Change(b"job", b"x" * 40)], offset=7, now_ms=1)
    table.data.close(0)
    stock.holds(table.data.persisted_offset(TP("t.retry", 0)) is None, "an old store is trusted")
