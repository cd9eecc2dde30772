import hashlib
import itertools
from pathlib import Path
from typing import Any

import fsspec
import orjson
import pytest

from consumers import Fail
from consumers.tasks import manifest as module
from consumers.tasks.manifest import Manifest, process_chunk, process_file
from consumers.testing import FakeContext
from schemas.tasks import Cursor
from tests.unit.consumers.tasks.equipped import equipped

HEADER = "day,carrier,flight,passengers,baggage_kg\n"
SMALL = {"chunk_bytes": 500, "chunks_per_job": 3}


def content_of(rows: int, bad_every: int = 10) -> bytes:
    lines = [f"2013-01-01,UA,{'x' if n % bad_every == 0 else n},100,2000.5\n" for n in range(1, rows + 1)]
    return (HEADER + "".join(lines)).encode()


def requests_of(ctx: FakeContext) -> list[dict[str, Any]]:
    """The arguments of the chunks that a context was asked to enqueue."""
    return [dict(request.args) for request in ctx.enqueued]


def run_all(tmp_path: Path, **args: Any) -> dict[str, Any]:
    """What a worker does: the first job, then each job it asks for."""
    ctx = equipped(tmp_path, settings=SMALL, job_id="job-0")
    result = process_file(ctx, **args)
    for number in itertools.count(1):
        asked = requests_of(ctx)
        if not asked:
            return {**result, "jobs": number}
        [arguments] = asked
        ctx = equipped(tmp_path, settings=SMALL, job_id=f"job-{number}")
        result = process_chunk(
            ctx,
            manifest=Manifest.model_validate(arguments["manifest"]),
            cursor=Cursor.model_validate(arguments["cursor"]),
        )
    raise AssertionError


def lines(url: str) -> list[dict[str, Any]]:
    with fsspec.open(url, "rb") as file:
        return [orjson.loads(line) for line in file.read().splitlines()]


def test_a_file_is_checked_in_chunks_over_several_jobs(tmp_path: Path) -> None:
    source = tmp_path / "manifest.csv"
    source.write_bytes(content_of(100))
    result = run_all(
        tmp_path, path=str(source), sha256=hashlib.sha256(source.read_bytes()).hexdigest().upper()
    )
    assert (result["rows"], result["bad_rows"]) == (90, 10)
    assert result["jobs"] > 3
    assert [row["flight"] for row in lines(result["rows_file"])] == [n for n in range(1, 101) if n % 10]
    assert [row["line"] for row in lines(result["bad_rows_file"])] == list(range(11, 102, 10))
    folder = Path(result["rows_file"]).parent
    assert sorted(path.name for path in folder.iterdir()) == ["bad.jsonl", "rows.jsonl"]


def test_other_filesystems_and_encodings(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe("/in/cargo.csv", (HEADER + "2013-01-01,UA,1,2,3\n").encode("cp1252"))
    result = run_all(tmp_path, path="memory://in/cargo.csv", encoding="cp1252", target="memory://out/")
    assert result["rows_file"].startswith("memory://out/cargo-")
    assert lines(result["rows_file"]) == [
        {"day": "2013-01-01", "carrier": "UA", "flight": 1, "passengers": 2, "baggage_kg": 3.0, "remarks": ""}
    ]
    assert lines(result["bad_rows_file"]) == []


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"sha256": "00"}, "sha256"),
        ({"encoding": "utf-16"}, "UTF-8"),
        ({"encoding": "nonsense"}, "no such encoding"),
    ],
)
def test_not_the_file_that_was_meant_fails(tmp_path: Path, args: dict[str, str], reason: str) -> None:
    source = tmp_path / "manifest.csv"
    source.write_bytes(content_of(1))
    ctx = equipped(tmp_path)
    with pytest.raises(Fail, match=reason):
        process_file(ctx, path=str(source), **args)
    assert requests_of(ctx) == []


def test_a_file_that_is_not_there_yet_is_left_to_the_retry_policy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process_file(equipped(tmp_path), path=str(tmp_path / "absent.csv"))


def test_an_empty_file_fails(tmp_path: Path) -> None:
    source = tmp_path / "empty.csv"
    source.touch()
    with pytest.raises(Fail, match="no column"):
        run_all(tmp_path, path=str(source))


def started(tmp_path: Path, rows: int = 100) -> tuple[Path, dict[str, Any]]:
    source = tmp_path / "manifest.csv"
    source.write_bytes(content_of(rows))
    ctx = equipped(tmp_path, settings=SMALL)
    process_file(ctx, path=str(source))
    [arguments] = requests_of(ctx)
    return source, {
        "manifest": Manifest.model_validate(arguments["manifest"]),
        "cursor": Cursor.model_validate(arguments["cursor"]),
    }


def test_a_file_that_changes_while_it_is_read_fails(tmp_path: Path) -> None:
    source, arguments = started(tmp_path)
    source.write_bytes(content_of(101))
    with pytest.raises(Fail, match="changed"):
        process_chunk(equipped(tmp_path, settings=SMALL), **arguments)


def test_an_attempt_after_a_crash_goes_on_at_the_chunk_it_was_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, arguments = started(tmp_path)
    read: list[int] = []
    whole = module._read_chunk

    def counted(manifest: Manifest, cursor: Cursor, chunk_bytes: int) -> dict[str, Any]:
        read.append(cursor.chunk)
        if read == [0, 1]:
            raise ConnectionError("the disk went away")
        return whole(manifest, cursor, chunk_bytes)

    monkeypatch.setattr(module, "_read_chunk", counted)
    ctx = equipped(tmp_path, settings=SMALL)
    with pytest.raises(ConnectionError):
        process_chunk(ctx, **arguments)
    again = ctx.next_attempt()
    process_chunk(again, **arguments)
    assert read == [0, 1, 1, 2]
    assert requests_of(again)[0]["cursor"]["chunk"] == 3
