"""Check a manifest file: who reads a large file in one go blocks a thread and begins again after every crash.

process_file   checksum of the whole file                 ─► enqueues process_chunk at the first row
process_chunk  a few chunks, each a step with its own     ─► enqueues process_chunk where it stopped,
               output file, so a crash repeats one chunk     or joins the outputs when the file is read

Results go to `<target>/<name>-<digest>/`: the same file gives the same names and the same content, so a
repeat overwrites with the same. They are written by whichever worker runs the chunk: with several machines,
`target` must be a place all of them reach (any URL fsspec knows).
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any, Final

import fsspec
import orjson
from pydantic import BaseModel, ConfigDict

from consumers import Context, Fail, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.manifest_rows import codec_for, read_stretch
from consumers.tasks.whole_file import BLOCK_BYTES, sha256_of, whole_file
from schemas.tasks import Cursor

_DIGEST_CHARACTERS: Final = 12


class Manifest(BaseModel):
    """Which file in which encoding, and where results go: those of single chunks to `parts`, to be joined."""

    model_config = ConfigDict(frozen=True)

    path: str
    encoding: str
    folder: str
    parts: str

    def part(self, name: str, chunk: int) -> str:
        return f"{self.parts}/{name}.{chunk:06d}"

    def result(self, name: str) -> str:
        return f"{self.folder}/{name}.jsonl"


@task(name="process_file", timeout=900)
def process_file(
    ctx: Context, path: str, sha256: str | None = None, encoding: str = "utf-8", target: str | None = None
) -> dict[str, Any]:
    """Verify a manifest's checksum and have it read in chunks. Fails when it is not the file meant."""
    codec_for(encoding)
    digest, size_bytes = ctx.step("checksum", sha256_of, path)
    if sha256 and digest != sha256.lower():
        raise Fail(f"{path}: its sha256 is {digest}, expected {sha256.lower()}")
    place = target or str(equipment_of(ctx).settings.processed_dir)
    folder = f"{place.rstrip('/')}/{PurePosixPath(path).stem}-{digest[:_DIGEST_CHARACTERS]}"
    manifest = Manifest(path=path, encoding=encoding, folder=folder, parts=f"{folder}/{ctx.job_id}")
    _go_on(ctx, manifest, Cursor(size_bytes=size_bytes))
    return {"sha256": digest, "bytes": size_bytes, "folder": folder}


@task(name="process_chunk", timeout=900)
def process_chunk(ctx: Context, manifest: Manifest, cursor: Cursor) -> dict[str, Any]:
    """Read the next chunks of a manifest; the last one joins the outputs to `rows.jsonl` and `bad.jsonl`."""
    settings = equipment_of(ctx).settings
    for _ in range(settings.chunks_per_job):
        if cursor.at_end and cursor.chunk:
            return _finished(ctx, manifest, cursor)
        document = ctx.step(f"chunk-{cursor.chunk}", _read_chunk, manifest, cursor, settings.chunk_bytes)
        cursor = Cursor.model_validate(document)
    _go_on(ctx, manifest, cursor)
    return {"read_bytes": cursor.offset, "of_bytes": cursor.size_bytes}


def _go_on(ctx: Context, manifest: Manifest, cursor: Cursor) -> None:
    # Sent only when this job completes, with an id made from this job's: a repeat does not start a second
    # chain.
    ctx.enqueue(process_chunk, manifest=manifest, cursor=cursor)


def _read_chunk(manifest: Manifest, cursor: Cursor, chunk_bytes: int) -> dict[str, Any]:
    filesystem, path = fsspec.url_to_fs(manifest.path)
    if filesystem.size(path) != cursor.size_bytes:
        raise Fail(f"{manifest.path} changed while it was read")
    with filesystem.open(path, "rb") as file:
        stretch = read_stretch(file, cursor, encoding=manifest.encoding, chunk_bytes=chunk_bytes)
    with whole_file(manifest.part("rows", cursor.chunk)) as output:
        output.writelines(_lines(row.model_dump() for row in stretch.good))
    with whole_file(manifest.part("bad", cursor.chunk)) as output:
        output.writelines(_lines(asdict(row) for row in stretch.bad))
    return stretch.end.model_dump(mode="json")


def _lines(documents: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return (orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE) for document in documents)


def _finished(ctx: Context, manifest: Manifest, cursor: Cursor) -> dict[str, Any]:
    ctx.step("join", _join, manifest, cursor.chunk)
    # A step of its own: parts go only once it is remembered that they were joined.
    ctx.step("tidy", _tidy, manifest)
    return {
        "rows": cursor.rows,
        "bad_rows": cursor.bad_rows,
        "rows_file": manifest.result("rows"),
        "bad_rows_file": manifest.result("bad"),
    }


def _join(manifest: Manifest, chunks: int) -> None:
    for name in ("rows", "bad"):
        with whole_file(manifest.result(name)) as output:
            for chunk in range(chunks):
                with fsspec.open(manifest.part(name, chunk), "rb") as part:
                    while block := part.read(BLOCK_BYTES):
                        output.write(block)


def _tidy(manifest: Manifest) -> None:
    filesystem, parts = fsspec.url_to_fs(manifest.parts)
    if filesystem.exists(parts):
        filesystem.rm(parts, recursive=True)
