"""The report of a day: a table for programs (CSV) and a page for people (HTML with its picture inside)."""

import csv
import datetime as dt
import io
from typing import Any

from consumers import Context, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.flight_counts import CarrierCount, count_by_carrier
from consumers.tasks.flight_facts import facts_of
from consumers.tasks.report_page import page_of
from consumers.tasks.whole_file import whole_file

COLUMNS = (
    "carrier", "departed", "arrived", "cancelled", "late", "on_time_percent", "mean_delay_minutes",
    "worst_delay_minutes",
)  # fmt: skip


@task(name="write_report", timeout=300, max_jobs=1)
def write_report(ctx: Context, day: dt.date) -> dict[str, Any]:
    """Write `reports/<day>.csv` and `.html` from the facts known now; written again, they are replaced whole.

    One at a time: matplotlib shares caches between threads that it does not lock.
    """
    settings = equipment_of(ctx).settings
    counts = count_by_carrier(facts_of(settings.facts_dir, day))
    files = {"csv": table_of(counts), "html": page_of(day, counts)}
    paths = {ending: settings.reports_dir.absolute() / f"{day.isoformat()}.{ending}" for ending in files}
    for ending, text in files.items():
        with whole_file(str(paths[ending])) as file:
            file.write(text.encode())
    return {
        "csv": str(paths["csv"]),
        "html": str(paths["html"]),
        "departed": sum(count.departed for count in counts),
        "arrived": sum(count.arrived for count in counts),
        "cancelled": sum(count.cancelled for count in counts),
    }


def table_of(counts: list[CarrierCount]) -> str:
    """One line per carrier, with a header."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for count in counts:
        cells = [getattr(count, column) for column in COLUMNS]
        table.writerow([_harmless(cell) if isinstance(cell, str) else round(cell, 1) for cell in cells])
    return text.getvalue()


def _harmless(text: str) -> str:
    """Spreadsheets run a cell that begins like a formula, and carriers come from outside."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
