from pathlib import Path

import pytest

from events.errors import InvalidSettings
from events.status.store import MAX_AWAY_MS, open_following, open_store

NOW_MS = 1_700_000_000_000


def kept(folder: Path, **arguments: object) -> bool:
    """Whether a note of an earlier opening is still there."""
    store = open_store(folder, **({"app_id": "a", "now_ms": NOW_MS} | arguments))  # type: ignore[arg-type]
    try:
        return store.get(b"note") is not None
    finally:
        store.write([(b"note", b"1")])
        store.close()


def test_a_store_is_kept(tmp_path: Path) -> None:
    assert not kept(tmp_path)
    assert kept(tmp_path, now_ms=NOW_MS + MAX_AWAY_MS)


def test_a_store_that_cannot_be_trusted_is_wiped(tmp_path: Path) -> None:
    kept(tmp_path)
    assert not kept(tmp_path, now_ms=NOW_MS + MAX_AWAY_MS + 1)
    assert not kept(tmp_path, app_id="b")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = open_store(tmp_path, app_id="a")
    with pytest.raises(InvalidSettings, match="one process at a time"):
        open_store(tmp_path, app_id="a")
    store.close()


def test_what_is_wiped_can_be_used_on(tmp_path: Path) -> None:
    store = open_store(tmp_path, app_id="a", now_ms=NOW_MS)
    store.write([(b"j1", b""), (b"z", b"")])
    store.wipe()
    assert [key for key, _ in store.scan(b"")] == [b"m", b"w"]
    store.close()


def test_who_follows_sees_what_was_written_when_it_catches_up(tmp_path: Path) -> None:
    store = open_store(tmp_path, app_id="a")
    store.write([(b"j1", b"old"), (b"j2", b"")])
    view = open_following(tmp_path)
    assert view.get_many([b"j1", b"j2"]) == [b"old", b""]
    store.write([(b"j1", b"new"), (b"j2", None)])
    assert view.get(b"j1") == b"old"
    view.catch_up(store.writes)
    assert view.get_many([b"j1", b"j2"]) == [b"new", None]
    store.wipe()
    view.catch_up(store.writes)
    assert [key for key, _ in view.scan(b"j")] == []
    view.close()
    store.close()


def test_writes_are_counted_on_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path, app_id="a")
    store.write([(b"j1", b"")])
    writes = store.writes
    store.close()
    again = open_store(tmp_path, app_id="a")
    again.write([(b"j1", None)])
    assert again.writes == writes + 1
    view = open_following(tmp_path)
    view.catch_up(again.writes)
    assert view.written == again.writes
    view.close()
    again.close()


def test_what_nobody_wrote_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    store = open_store(tmp_path, app_id="a")
    view = open_following(tmp_path)
    with pytest.raises(RuntimeError, match="write 100 is not there"):
        view.catch_up(100)
    view.close()
    store.close()
