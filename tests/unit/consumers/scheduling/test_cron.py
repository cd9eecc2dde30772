"""`cron(…)` in a task module."""

import datetime as dt
from typing import Any

import pytest

from consumers import Context, cron, task
from consumers.errors import InvalidSchedule
from consumers.registry import Registry, using


@pytest.fixture
def registry() -> Any:
    made = Registry()
    with using(made):
        yield made


def test_it_registers_a_schedule(registry: Registry) -> None:
    @task
    async def report(ctx: Context, day: dt.date, full: bool = False) -> None: ...

    made = cron(report, weekday=0, hour=9, args={"day": dt.date(2030, 1, 2)}, overlap="skip", jitter=5)
    assert registry.schedules == {"report": made}
    assert made.args == {"day": "2030-01-02"}
    assert made.place.startswith(__file__)
    cron(report, "0 9 * * mon", timezone="Europe/Berlin", name="berlin", args={"day": "2030-01-02"})
    cron(report, every=dt.timedelta(minutes=1), name="often", args={"day": "2030-01-02"})
    assert [each.timing for each in registry.schedules.values()] == [
        "0 9 * * 1 UTC",
        "0 9 * * mon Europe/Berlin",
        "60000 UTC",
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hour": 24}, "hour=24"),
        ({}, "say when"),
        ({"hour": 3, "every": 3}, "exclude each other"),
        ({"every": 0.5}, "a second or more"),
        ({"hour": 3, "timezone": "Mars/Base"}, "Europe/Berlin"),
        ({"hour": 3, "missed": "never"}, "missed='never'"),
        ({"hour": 3, "overlap": "no"}, "overlap='no'"),
        ({"hour": 3, "catch_up": -1}, "catch_up"),
        ({"hour": 3, "args": {"what": 1}}, "what"),
        ({"hour": 3, "name": ""}, "name=''"),
        ({"hour": 3, "args": {"note": "x" * 70_000}}, "give a reference"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(registry: Registry, options: dict[str, Any], told: str) -> None:
    @task
    async def plain(ctx: Context, note: str = "") -> None: ...

    with pytest.raises(InvalidSchedule, match=told) as caught:
        cron(plain, **options)
    assert str(caught.value).startswith(f"{__file__}:")


def test_two_of_one_name_and_tasks_of_events_are_refused(registry: Registry) -> None:
    @task
    async def plain(ctx: Context) -> None: ...

    @task(on="some.event", topic="some")
    async def on_event(ctx: Context, event: Any) -> None: ...

    cron(plain, hour=3)
    with pytest.raises(InvalidSchedule, match="give one of them name="):
        cron(plain, hour=15)
    with pytest.raises(InvalidSchedule, match="runs on events"):
        cron(on_event, hour=15)
    with pytest.raises(InvalidSchedule, match="must be a task"):
        cron(print, hour=15)  # type: ignore[arg-type]
