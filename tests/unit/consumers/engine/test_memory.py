"""The database in memory answers as RocksDB does, so that what passes on one holds on the other."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import rocksdict

from consumers.engine import statedb
from consumers.engine.statedb import WRITER_HEADER, Change, StateDb
from schemas.state import encode_state, fence_key
from tests.unit.consumers.engine.memory import MemoryRocks

NOW_MS = 1_900_000_000_000


@pytest.fixture(params=["rocksdb", "memory"])
def rocks(request: Any, tmp_path: Any) -> Iterator[Any]:
    """An empty database; `StateDb` makes batches of its kind."""
    if request.param == "memory":
        request.getfixturevalue("batches_in_memory")
        yield MemoryRocks()
        return
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    database = rocksdict.Rdict(str(tmp_path / "db"), options=options)
    yield database
    database.close()


def _write(rocks: Any, *changes: tuple[bytes, bytes | None]) -> None:
    batch = statedb.rocksdict.WriteBatch(raw_mode=True)  # type: ignore[attr-defined]
    for key, value in changes:
        if value is None:
            batch.delete(key)
        else:
            batch.put(key, value)
    rocks.write(batch)


def _keys(rocks: Any, start: bytes) -> list[bytes]:
    iterator, found = rocks.iter(), []
    iterator.seek(start)
    while iterator.valid():
        found.append(iterator.key())
        iterator.next()
    return found


def test_a_batch_is_written_in_order(rocks: Any) -> None:
    _write(rocks, (b"a", b"1"), (b"b", b"2"), (b"a", None), (b"c", b""), (b"b", b"3"))
    assert rocks.get(b"a") is None
    assert rocks.get([b"b", b"a", b"c"]) == [b"3", None, b""]


def test_an_iterator_goes_through_the_keys_from_where_it_was_put(rocks: Any) -> None:
    _write(rocks, (b"b\xff", b"2"), (b"b", b"1"), (b"", b"0"), (b"c", b"3"))
    assert _keys(rocks, b"") == [b"", b"b", b"b\xff", b"c"]
    assert _keys(rocks, b"b\0") == [b"b\xff", b"c"]
    assert _keys(rocks, b"d") == []


def test_an_iterator_does_not_see_what_is_written_after_it_was_made(rocks: Any) -> None:
    _write(rocks, (b"a", b"1"))
    iterator = rocks.iter()
    iterator.seek(b"a")
    _write(rocks, (b"a", b"2"), (b"b", b"3"))
    assert (iterator.key(), iterator.value()) == (b"a", b"1")
    iterator.next()
    assert not iterator.valid()


def test_a_state_partition_reads_the_same_from_both(rocks: Any) -> None:
    db = StateDb(rocks, indexed=True)
    parked = [encode_state({"n": n}, due_ms=500 - n, writer=7, revision=1) for n in range(3)]
    db.apply([Change(b"id-%d" % n, value) for n, value in enumerate(parked)], offset=2, now_ms=NOW_MS)
    log = [
        (fence_key(0), encode_state({}, due_ms=3, writer=9), []),
        (b"id-9", encode_state({}, due_ms=9, writer=7), []),
        (b"id-0", None, [(WRITER_HEADER, (9).to_bytes(8, "big"))]),
        (fence_key(0), encode_state({}, due_ms=2, writer=8), []),
    ]
    db.restore(
        [
            SimpleNamespace(offset=offset, key=key, value=value, headers=headers)
            for offset, (key, value, headers) in enumerate(log, 3)
        ],
        now_ms=NOW_MS,
    )
    again = StateDb(rocks, indexed=True)
    assert again.offset == 6
    assert again.fence is not None
    assert (again.fence.writer, again.fence.term) == (9, 3)
    assert dict(again.records()) == {b"id-1": parked[1], b"id-2": parked[2]}
    assert [id for _, id in again.due(NOW_MS, 10)] == [b"id-2", b"id-1", b"id-0"]
    assert again.get([b"id-0", b"id-2"]) == [None, parked[2]]
