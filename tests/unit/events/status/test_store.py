from pathlib import Path

import pytest

from events.errors import InvalidSettings
from events.status.store import MAX_AWAY_MS, open_store

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
    assert [key for key, _ in store.scan(b"")] == [b"m"]
    store.close()
