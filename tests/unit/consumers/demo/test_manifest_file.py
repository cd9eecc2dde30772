"""The manifest, read by the code that will read it."""

import hashlib
from pathlib import Path

import pytest

from consumers.demo.manifest_file import CHUNK_BYTES, CHUNKS_PER_JOB, ManifestFile, write_manifest
from consumers.tasks.manifest_rows import read_stretch
from schemas.tasks import Cursor
from tests.unit.consumers.demo.making import flight


@pytest.mark.parametrize("count", [0, 1, 500, 1004])
def test_the_chunks_foreseen_are_those_the_reader_makes(tmp_path: Path, count: int) -> None:
    path = tmp_path / "manifest.csv"
    manifest = write_manifest(path, [flight(number=number) for number in range(1, count + 1)])
    cursor = Cursor(size_bytes=path.stat().st_size)
    with path.open("rb") as file:
        while not cursor.at_end:
            cursor = read_stretch(file, cursor, encoding="utf-8", chunk_bytes=CHUNK_BYTES).end
    assert cursor.chunk == manifest.chunks
    assert (cursor.rows, cursor.bad_rows) == (count - count // 97, count // 97)
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("chunks", "jobs"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_job_hands_on_after_its_chunks_and_the_last_finds_the_end(chunks: int, jobs: int) -> None:
    assert CHUNKS_PER_JOB == 2
    assert ManifestFile(Path("manifest.csv"), "", chunks).chunk_jobs == jobs
