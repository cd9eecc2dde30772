import gc
from types import SimpleNamespace
from typing import Any

from events.following import Follower, Place, Watch, _Part
from events.settings import ClientSettings
from schemas.state import encode_state, fence_key

HERE = Place("jobs", 0)


def value(state: str = "retrying", *, revision: int = 1, writer: int = 7, **header: int) -> bytes:
    return encode_state({"state": state}, revision=revision, writer=writer, **header)


def state_of(watch: Watch) -> str | None:
    record = watch.newest()
    return None if record is None else record.document["state"]


def test_the_higher_revision_holds_whatever_is_read_first() -> None:
    watch = Watch()
    assert state_of(watch) is None
    watch.see(value("completed", revision=3), HERE, ledger=True)
    watch.see(value("running", revision=2), HERE, ledger=False)
    assert state_of(watch) == "completed"
    watch.see(value("scheduled", revision=4), HERE, ledger=False)
    assert state_of(watch) == "scheduled"
    watch.see(value("failed", revision=1), HERE, ledger=True)  # read once more
    assert state_of(watch) == "scheduled"


def test_a_tombstone_read_before_the_end_it_follows_tells_nothing() -> None:
    watch = Watch()
    watch.see(value("failed", revision=1), HERE, ledger=True)
    watch.see(value("running", revision=2), HERE, ledger=False)
    watch.see(None, HERE, ledger=False)
    assert state_of(watch) == "running"
    watch.see(value("completed", revision=3), HERE, ledger=True)
    assert state_of(watch) == "completed"


def test_what_has_expired_is_forgotten() -> None:
    watch = Watch()
    watch.see(value("completed", expires_ms=5), HERE, ledger=True)
    assert state_of(watch) is None


def test_a_watch_nobody_holds_is_gone() -> None:
    follower = Follower(ClientSettings())
    watch = follower.watch("j")
    assert follower.watch("j") is watch
    del watch
    gc.collect()
    assert len(follower._watches) == 0


def record(key: bytes, content: bytes | None) -> Any:
    return SimpleNamespace(key=key, value=content, headers=())


def test_records_of_a_writer_whose_fence_is_gone_do_not_count() -> None:
    follower = Follower(ClientSettings())
    watch, part = follower.watch("j"), _Part(HERE, ledger=True, since_ms=0, position=0)
    fence = encode_state({}, writer=8, due_ms=1)
    records = [
        record(fence_key(0), fence),
        record(b"j", value("failed", writer=7)),
        record(b"x", value(writer=8)),
    ]
    follower._take(part, records)
    assert state_of(watch) is None
    follower._take(part, [record(b"j", value("completed", writer=8))])
    assert state_of(watch) == "completed"
