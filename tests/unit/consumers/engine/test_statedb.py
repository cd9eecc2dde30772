import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import rocksdict

from consumers.engine.statedb import RECORD, WRITER_HEADER, Change, Fence, StateDb, due_key, record_writer
from schemas.state import encode_state, fence_key

NOW_MS = 1_900_000_000_000


class Disk:
    """A database that can be closed and opened again."""

    def __init__(self, path):
        self.path = str(path)
        self.rocks = None

    def open(self, *, indexed=True):
        self.close()
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        self.rocks = rocksdict.Rdict(self.path, options=options)
        return StateDb(self.rocks, indexed=indexed)

    def close(self):
        if self.rocks is not None:
            self.rocks.close()
            self.rocks = None


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "db")
    yield disk
    disk.close()


def value(name="x", **header):
    return encode_state({"name": name}, **header)


def log(*records, start=0):
    """Changelog records: (key, value) or (key, None, writer)."""
    return [
        SimpleNamespace(
            offset=offset,
            key=key,
            value=content,
            headers=[(WRITER_HEADER, writer[0].to_bytes(8, "big"))] if writer else [],
        )
        for offset, (key, content, *writer) in enumerate(records, start)
    ]


def fence(writer, *, term=1, released=False):
    return fence_key(0), encode_state({}, due_ms=term, writer=writer, revision=int(released))


def test_what_was_applied_is_there_after_opening_again(disk):
    db = disk.open()
    assert db.get([b"a"]) == [None]
    db.apply([Change(b"a", value("a")), Change(b"b", value("b"))], offset=4, now_ms=NOW_MS)
    db = disk.open()
    assert db.get([b"b", b"nobody", b"a"]) == [value("b"), None, value("a")]
    assert (db.offset, db.has_records) == (4, True)


def test_a_change_without_value_removes_the_record_and_its_index_entry(disk):
    db = disk.open()
    db.apply([Change(b"a", value(due_ms=500))], offset=0, now_ms=NOW_MS)
    db.apply([Change(b"a", None, 500)], offset=1, now_ms=NOW_MS)
    assert db.get([b"a"]) == [None]
    assert list(db.index()) == []


def test_a_change_moves_the_index_entry(disk):
    db = disk.open()
    db.apply([Change(b"a", value(due_ms=500))], offset=0, now_ms=NOW_MS)
    db.apply([Change(b"a", value(due_ms=900), 500)], offset=1, now_ms=NOW_MS)
    assert list(db.index()) == [due_key(900, b"a")]


def test_a_table_without_index_writes_none(disk):
    db = disk.open(indexed=False)
    db.apply([Change(b"a", value(due_ms=500), 300)], offset=0, now_ms=NOW_MS)
    assert list(db.index()) == []


def test_the_offset_never_goes_back(disk):
    db = disk.open()
    db.apply([], offset=9, now_ms=NOW_MS)
    db.apply([], offset=3, now_ms=NOW_MS)
    assert (db.offset, disk.open().offset) == (9, 9)


def test_due_entries_come_in_order_up_to_now(disk):
    db = disk.open()
    changes = [Change(id, value(due_ms=due)) for id, due in ((b"c", 300), (b"a", 100), (b"b", 200))]
    db.apply(changes, offset=0, now_ms=NOW_MS)
    assert [id for _, id in db.due(200, 10)] == [b"a", b"b"]
    assert [id for _, id in db.due(900, 2)] == [b"a", b"b"]
    assert db.next_due_ms() == 100


def test_firing_goes_on_behind_what_fired_and_back_for_what_is_due_earlier(disk):
    db = disk.open()
    db.apply([Change(b"a", value(due_ms=100)), Change(b"b", value(due_ms=200))], offset=0, now_ms=NOW_MS)
    for key, _ in db.due(150, 10):
        db.fired(key)
    assert db.next_due_ms() == 200
    assert db.due(150, 10) == []
    db.apply([Change(b"z", value(due_ms=50))], offset=1, now_ms=NOW_MS)
    assert [id for _, id in db.due(300, 10)] == [b"z", b"a", b"b"]
    assert [id for _, id in disk.open().due(300, 10)] == [b"z", b"a", b"b"]


def test_next_due_is_none_when_all_fired(disk):
    db = disk.open()
    db.apply([Change(b"a", value(due_ms=100))], offset=0, now_ms=NOW_MS)
    db.fired(due_key(100, b"a"))
    assert db.next_due_ms() is None
    db.compact_index()
    assert list(db.index()) == [due_key(100, b"a")]


def test_a_database_whose_index_is_being_compacted_can_be_closed(disk):
    db = disk.open()
    fired = [Change(b"%05d" % number, value(due_ms=100 + number)) for number in range(20_000)]
    db.apply(fired, offset=0, now_ms=NOW_MS)
    for round in range(5):
        db.fired(due_key(100_000, b""))
        began = threading.Event()
        with ThreadPoolExecutor(1) as pool:

            def compact(db=db, began=began):
                began.set()
                db.compact_index()

            compacting = pool.submit(compact)
            began.wait()
            db.close()
            compacting.result()
        db.compact_index()  # too late, and harmless
        disk.rocks = None
        db = disk.open()
        assert db.offset == round
        assert len(list(db.index())) == 20_000
        db.apply(fired, offset=round + 1, now_ms=NOW_MS)


def test_forgotten_entries_are_gone(disk):
    db = disk.open()
    db.apply([Change(b"a", value(due_ms=100)), Change(b"b", value(due_ms=200))], offset=0, now_ms=NOW_MS)
    db.forget_due([due_key(100, b"a")])
    assert list(db.index()) == [due_key(200, b"b")]
    assert db.get([b"a"]) == [value(due_ms=100)]


def test_a_restore_takes_only_what_the_holder_of_the_last_fence_wrote(disk):
    db = disk.open()
    counted = db.restore(
        log(
            (b"before", value(writer=1)),
            fence(2),
            (b"late", value(writer=1)),
            (b"ours", value(writer=2)),
            (b"ours", None, 1),
            (b"before", None),
        ),
        now_ms=NOW_MS,
    )
    assert counted == 2
    assert db.get([b"before", b"late", b"ours"]) == [value(writer=1), None, value(writer=2)]
    assert (disk.open().fence, db.offset) == (Fence(2, False, 1), 5)


def test_a_tombstone_of_the_holder_removes(disk):
    db = disk.open()
    db.restore(log(fence(2), (b"a", value(writer=2)), (b"a", None, 2)), now_ms=NOW_MS)
    assert db.get([b"a"]) == [None]


def test_a_fence_of_an_older_term_came_late(disk):
    db = disk.open()
    db.restore(log(fence(2, term=5), fence(1, term=4), (b"a", value(writer=1))), now_ms=NOW_MS)
    assert db.fence == Fence(2, False, 5)
    assert db.get([b"a"]) == [None]


def test_the_fence_before_the_last_tells_how_the_previous_owner_left(disk):
    db = disk.open()
    db.restore(log(fence(1), fence(1, released=True), fence(2, term=2)), now_ms=NOW_MS)
    assert db.previous_fence == Fence(1, True, 1)
    assert db.fence == Fence(2, False, 2)


def test_a_release_does_not_make_its_writer_its_own_predecessor(disk):
    db = disk.open()
    db.restore(log(fence(1), fence(1, released=True)), now_ms=NOW_MS)
    assert db.previous_fence is None


def test_a_restore_in_pieces_is_the_same_as_one(disk):
    records = log(fence(1), (b"a", value(writer=1, due_ms=10)), fence(2, term=2), (b"a", value(writer=1)))
    db = disk.open()
    for record in records:
        db.restore([record], now_ms=NOW_MS)
        db = disk.open()
    assert db.restore(records, now_ms=NOW_MS) == 0  # known already
    assert db.get([b"a"]) == [value(writer=1, due_ms=10)]
    assert list(db.index()) == [due_key(10, b"a")]


def test_an_expired_record_is_not_restored_and_removes_an_older_one(disk):
    db = disk.open()
    db.restore(
        log((b"a", value("old")), (b"a", value(expires_ms=NOW_MS)), (b"b", value(expires_ms=NOW_MS + 1))),
        now_ms=NOW_MS,
    )
    assert db.get([b"a", b"b"]) == [None, value(expires_ms=NOW_MS + 1)]


def test_records_nobody_of_ours_wrote_do_not_stop_a_restore(disk):
    db = disk.open()
    foreign = log((None, b"x"), (b"a", b"short"), (fence_key(0), None), (b"b", value()))
    assert db.restore(foreign, now_ms=NOW_MS) == 1
    assert (db.offset, db.fence) == (3, None)


def test_a_sweep_deletes_what_expired_piece_by_piece(disk):
    db = disk.open(indexed=False)
    changes = [
        Change(b"%d" % number, value(expires_ms=NOW_MS + (1 if number % 2 else 0))) for number in range(5)
    ]
    db.apply([*changes, Change(b"9", value())], offset=0, now_ms=NOW_MS)
    position, turns = RECORD, 0
    while position is not None:
        position = db.sweep(position, 2, NOW_MS)
        turns += 1
    assert turns >= 3
    assert [id for id, _ in db.records()] == [b"1", b"3", b"9"]


def test_records_can_be_read_in_pieces(disk):
    db = disk.open()
    db.apply([Change(id, value(due_ms=7)) for id in (b"a", b"b", b"c")], offset=0, now_ms=NOW_MS)
    assert [id for id, _ in db.records(limit=2)] == [b"a", b"b"]
    assert [id for id, _ in db.records(RECORD + b"b\0")] == [b"c"]


def test_who_wrote_a_record():
    records = log((b"a", value(writer=3)), (b"a", None, 4), (b"a", None), (b"a", b"short"))
    assert [record_writer(record) for record in records] == [3, 4, 0, 0]
