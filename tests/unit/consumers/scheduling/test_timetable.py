"""Times of schedules, above all where clocks change."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.scheduling.timetable import Timetable

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def ms(text: str, zone: str = "UTC") -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def times(table: Timetable, start: str, count: int) -> list[str]:
    zone = ZoneInfo(table.timezone)
    found = itertools.islice(table.after(ms(start, table.timezone)), count)
    return [dt.datetime.fromtimestamp(each / 1000, zone).strftime("%d %H:%M:%S %z") for each in found]


@pytest.mark.parametrize(
    ("zone", "start", "cron", "expected"),
    [
        # Forward: a time the clock skips runs right after the gap, once.
        (BERLIN, "2026-03-28T12:00", "30 2 * * *", ["29 03:00:00 +0200", "30 02:30:00 +0200"]),
        (BERLIN, "2026-03-28T12:00", "15 30 2 * * *", ["29 03:00:15 +0200", "30 02:30:15 +0200"]),
        (BERLIN, "2026-03-28T12:00", "0,30 2 * * *", ["29 03:00:00 +0200", "30 02:00:00 +0200"]),
        (NEW_YORK, "2026-03-07T12:00", "30 2 * * *", ["08 03:00:00 -0400", "09 02:30:00 -0400"]),
        (LORD_HOWE, "2026-10-03T12:00", "15 2 * * *", ["04 02:30:00 +1100", "05 02:15:00 +1100"]),
        # Back: a time the clock shows twice runs the first time only.
        (BERLIN, "2026-10-24T12:00", "30 2 * * *", ["25 02:30:00 +0200", "26 02:30:00 +0100"]),
        (BERLIN, "2026-10-24T12:00", "15 30 2 * * *", ["25 02:30:15 +0200", "26 02:30:15 +0100"]),
        (NEW_YORK, "2026-10-31T12:00", "30 1 * * *", ["01 01:30:00 -0400", "02 01:30:00 -0500"]),
        (LORD_HOWE, "2026-04-04T12:00", "45 1 * * *", ["05 01:45:00 +1100", "06 01:45:00 +1030"]),
        # What runs every hour follows real time in both directions.
        (BERLIN, "2026-03-29T01:00", "30 * * * *", ["29 01:30:00 +0100", "29 03:30:00 +0200"]),
        (
            BERLIN,
            "2026-10-25T02:00",
            "30 * * * *",
            ["25 02:30:00 +0200", "25 02:30:00 +0100", "25 03:30:00 +0100"],
        ),
        # The same day elsewhere: nothing changes.
        ("Asia/Tokyo", "2026-03-28T12:00", "30 2 * * *", ["29 02:30:00 +0900", "30 02:30:00 +0900"]),
    ],
)
def test_where_clocks_change(zone: str, start: str, cron: str, expected: list[str]) -> None:
    assert times(Timetable(cron=cron, timezone=zone), start, len(expected)) == expected


def test_inside_the_hour_that_comes_twice_nothing_is_repeated() -> None:
    table = Timetable(cron="30 2 * * *", timezone=BERLIN)
    second_pass = ms("2026-10-25T01:10")  # 02:10 for the second time
    assert table.next_after(second_pass) == ms("2026-10-26T02:30", BERLIN)
    assert table.last_within(0, second_pass) == ms("2026-10-25T00:30")


def test_seconds_and_every() -> None:
    assert times(Timetable(cron="*/20 * * * * *"), "2026-01-01T00:00:30", 2) == [
        "01 00:00:40 +0000",
        "01 00:01:00 +0000",
    ]
    table = Timetable(every_ms=7_000)
    assert list(itertools.islice(table.after(7_000), 2)) == [14_000, 21_000]
    assert table.last_within(0, 20_999) == 14_000
    assert table.last_within(14_000, 20_999) is None
    assert table.count_within(0, 21_000, 100) == 3


def test_both_days() -> None:
    friday = Timetable(cron="0 9 13 * 5", day_and=True)
    assert times(friday, "2026-01-01", 2) == ["13 09:00:00 +0000", "13 09:00:00 +0000"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (Timetable(cron="0 9 * *"), "number of fields"),
        (Timetable(cron="0 0 31 2 *"), "day-of-month"),
        (Timetable(cron="0 9 * * *", timezone="Mars/Base"), "timezone='Mars/Base'"),
        (Timetable(cron="0 9 * * *", timezone="../etc/passwd"), "timezone="),
    ],
)
def test_what_cannot_be_is_said(table: Timetable, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        table.check()


@given(
    cron=st.sampled_from(
        ["30 2 * * *", "*/7 * * * *", "0 9 * * 1", "15 0,2 * * *", "10,40 30 1-3 * * *", "5 4 29 2 *"]
    ),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Africa/Cairo"]),
    start=st.integers(1_700_000_000, 1_830_000_000),
    span=st.integers(1, 90_000),
)
def test_times_ascend_and_the_last_is_the_last(cron: str, zone: str, start: int, span: int) -> None:
    table, start_ms, until_ms = Timetable(cron=cron, timezone=zone), start * 1000, (start + span) * 1000
    found = list(itertools.takewhile(lambda moment: moment <= until_ms, table.after(start_ms)))
    assert found == sorted(set(found))
    assert all(moment > start_ms for moment in found)
    assert table.last_within(start_ms, until_ms) == (found[-1] if found else None)
    assert table.count_within(start_ms, until_ms, 10_000) == len(found)
