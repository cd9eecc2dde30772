"""A day's flights become a report: table and page, from events to files."""

import csv
import datetime as dt
from pathlib import Path

from consumers.tasks.flight_facts import facts_of
from schemas.flights import FlightCancelled
from tests.integration.task_worker import enqueue, publish, task_worker
from tests.waiting import until

DAY = dt.date(1914, 2, 3)  # a day of its own: the topic is shared with the other tests on this broker


def cancelled(flight: int) -> FlightCancelled:
    return FlightCancelled(
        carrier="B6",
        flight=flight,
        origin="JFK",
        dest="BOS",
        day=DAY,
        scheduled_departure_at=dt.datetime(1914, 2, 3, 8, tzinfo=dt.UTC),
    )


async def test_a_report_is_written(broker: str, app_id: str, tmp_path: Path) -> None:
    reports = tmp_path / "data" / "reports"
    async with task_worker(broker, app_id, tmp_path):
        events = [(str(flight), cancelled(flight)) for flight in (1, 2, 3)]
        await publish(broker, *events, source=f"/{app_id}")
        await until(lambda: len(list(facts_of(tmp_path / "data" / "facts", DAY))) == 3, within_seconds=60)
        await enqueue(broker, app_id, "write_report", "report-1", day=DAY.isoformat())
        page = await until(lambda: next(reports.glob("*.html"), None), within_seconds=60)
    with open(reports / f"{DAY}.csv", newline="") as table:
        [row] = csv.DictReader(table)
    assert (row["carrier"], row["cancelled"]) == ("B6", "3")
    assert "data:image/png;base64," in page.read_text()
