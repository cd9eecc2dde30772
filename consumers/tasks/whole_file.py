"""Files that are there whole or not at all, on any filesystem fsspec knows."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import fsspec

BLOCK_BYTES: Final = 1 << 20


@contextmanager
def whole_file(url: str) -> Iterator[BinaryIO]:
    """A file to write; it appears at `url` when the block ends well, in place of what was there.

    It is written beside `path` and renamed, which is atomic on a disk; object stores show an object only
    when it is complete. A worker killed in between leaves a `.part` file that no one reads.
    """
    filesystem, path = fsspec.url_to_fs(url)
    part = f"{path}.{uuid.uuid4().hex}.part"
    filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    try:
        with filesystem.open(part, "wb") as file:
            yield file
            _to_disk(file)
        filesystem.mv(part, path)
    except BaseException:
        if filesystem.exists(part):
            filesystem.rm(part)
        raise


def _to_disk(file: Any) -> None:
    """Without this a power cut may leave the new name with no content. Only local files have a descriptor."""
    file.flush()
    if hasattr(file, "fileno"):
        try:
            os.fsync(file.fileno())
        except (OSError, AttributeError):
            pass  # a remote or in-memory file: its store keeps its own promises


def sha256_of(url: str) -> tuple[str, int]:
    """Digest (hexadecimal) and size in bytes, read in blocks."""
    digest = hashlib.sha256()
    size_bytes = 0
    with fsspec.open(url, "rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size_bytes += len(block)
    return digest.hexdigest(), size_bytes
