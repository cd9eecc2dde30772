"""A manifest is read over several jobs, the worker is killed in between, and each row is there once."""

import hashlib
from pathlib import Path

from tests.integration.task_worker import enqueue, lines_of, task_worker
from tests.waiting import until

ROWS = 2000


def content() -> bytes:
    rows = [f"2013-01-01,UA,{'' if n % 100 == 0 else n},150,2000.5\n" for n in range(1, ROWS + 1)]
    return ("day,carrier,flight,passengers,baggage_kg\n" + "".join(rows)).encode()


async def test_a_file_is_read_in_chunks(broker: str, app_id: str, tmp_path: Path) -> None:
    source = tmp_path / "manifest.csv"
    source.write_bytes(content())
    digest = hashlib.sha256(content()).hexdigest()
    folder = tmp_path / "data" / "processed" / f"manifest-{digest[:12]}"
    async with task_worker(broker, app_id, tmp_path, chunk_bytes=1500, chunks_per_job=3) as worker:
        await enqueue(broker, app_id, "process_file", "manifest-1", path=str(source), sha256=digest)
        await until(lambda: len(list(folder.glob("manifest-1/rows.*"))) > 3, within_seconds=60)
        await worker.kill()
        await worker.start()
        await until(lambda: _joined(folder), within_seconds=60)
    rows = lines_of(folder / "rows.jsonl")
    assert [row["flight"] for row in rows] == [n for n in range(1, ROWS + 1) if n % 100]
    assert [row["line"] for row in lines_of(folder / "bad.jsonl")] == [
        n + 1 for n in range(100, ROWS + 1, 100)
    ]


def _joined(folder: Path) -> bool:
    return sorted(path.name for path in folder.iterdir()) == ["bad.jsonl", "rows.jsonl"]
