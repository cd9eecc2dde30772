from pathlib import Path

import fsspec
import pytest

from consumers.tasks.whole_file import sha256_of, whole_file


def test_it_appears_whole_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    for content in (b"old", b"new"):
        with whole_file(str(path)) as file:
            file.write(content)
            assert not path.exists() or path.read_bytes() == b"old"
        assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fail_halfway() -> None:
        with whole_file(str(path)) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_another_filesystem() -> None:
    with whole_file("memory://folder/a.txt") as file:
        file.write(b"abc")
    assert fsspec.filesystem("memory").cat("/folder/a.txt") == b"abc"
    assert [name for name in fsspec.filesystem("memory").ls("/folder", detail=False) if "part" in name] == []
    # The digest of "abc" in FIPS 180-4.
    assert sha256_of("memory://folder/a.txt") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        3,
    )
