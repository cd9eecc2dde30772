"""Jobs nobody publishes an event for: they are asked for by name, as any program would."""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from consumers.demo.dataset import Flight
from consumers.demo.expectation import Expectation
from consumers.demo.manifest_file import write_manifest
from consumers.demo.stage import Stage
from events.queue import JobQueue
from events.queue_options import EnqueueOptions

_COUNTED: Final = ("departed", "arrived", "cancelled")
_TOMORROW: Final = EnqueueOptions(defer_by=dt.timedelta(days=1))
_NEXT_WEEK: Final = EnqueueOptions(defer_by=dt.timedelta(days=7), priority="low")


async def ask_for_chores(
    queue: JobQueue, stage: Stage, flights: Sequence[Flight], expectation: Expectation
) -> None:
    """Check the day's manifest in chunks, look for old reports, and two jobs that stay parked."""
    manifest = write_manifest(stage.folder / "manifest.csv", flights)
    cleanup = {"root": str(stage.reports), "older_than_days": 30}
    digest = {"to": "desk@localhost", "subject": "The week in delays", "body": "See the reports.\n"}
    now = EnqueueOptions()
    await queue.request("process_file", {"path": str(manifest.path), "sha256": manifest.sha256}, now)
    await queue.request("cleanup_files", {**cleanup, "dry_run": True}, now)
    await queue.request("cleanup_files", cleanup, _TOMORROW)
    await queue.request("send_email", digest, _NEXT_WEEK)
    expectation.enqueued("process_file")
    expectation.enqueued("process_chunk", manifest.chunk_jobs)
    expectation.enqueued("cleanup_files", 2)
    expectation.enqueued("send_email")


async def ask_for_reports(queue: JobQueue, days: Iterable[dt.date], expectation: Expectation) -> None:
    """One report a day."""
    for day in days:
        await queue.enqueue("write_report", day=day)
        expectation.enqueued("write_report")


def report_paths(stage: Stage, days: Iterable[dt.date]) -> list[Path]:
    """Where the reports are, page and table of each day."""
    return [stage.reports / f"{day}.{ending}" for day in days for ending in ("html", "csv")]


def read_reports(paths: Iterable[Path]) -> Counter[str]:
    """What the tables say happened, all days and carriers together. Missing tables count as nothing."""
    sums: Counter[str] = Counter(dict.fromkeys(_COUNTED, 0))
    for path in paths:
        if path.suffix == ".csv" and path.exists():
            with path.open(encoding="utf-8", newline="") as table:
                for row in csv.DictReader(table):
                    sums.update({name: int(row[name]) for name in _COUNTED})
    return sums
