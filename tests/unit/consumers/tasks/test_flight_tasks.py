import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from consumers import Discard, Fail
from consumers.tasks import call_airline, count_flight, notify_delay, send_email
from consumers.tasks.equipment import equipment_of
from consumers.tasks.flight_counts import count_by_carrier
from consumers.tasks.flight_facts import facts_of
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted
from tests.servers import web_server
from tests.unit.consumers.tasks.equipped import equipped

SCHEDULED = dt.datetime(2013, 1, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
DAY = dt.date(2013, 1, 1)
FLIGHT: dict[str, Any] = {
    "carrier": "UA",
    "flight": 1545,
    "tail_number": "N14228",
    "origin": "EWR",
    "dest": "IAH",
    "day": DAY,
    "scheduled_departure_at": SCHEDULED,
}


def departed(delay_minutes: int) -> FlightDeparted:
    return FlightDeparted(**FLIGHT, departed_at=SCHEDULED, departure_delay_minutes=delay_minutes)


async def test_a_long_delay_is_mailed_once_whatever_happens(tmp_path: Path) -> None:
    ctx = equipped(tmp_path, settings={"delay_desk": "desk@example.org"}, task=notify_delay)
    result = await notify_delay(ctx, departed(61))
    [request] = ctx.enqueued
    assert request.task == send_email.name
    assert request.args == {
        "to": "desk@example.org",
        "subject": "UA 1545 to IAH left 61 minutes late",
        "body": "Flight UA 1545 to IAH left EWR 61 minutes late on 2013-01-01.\n",
    }
    again = ctx.next_attempt()
    assert await notify_delay(again, departed(61)) == result == {"mail": request.job_id}
    assert again.enqueued == ctx.enqueued


@pytest.mark.parametrize(("delay_minutes", "told"), [(-5, False), (59, False), (60, True), (1301, True)])
def test_only_long_delays_are_told(delay_minutes: int, told: bool) -> None:
    assert notify_delay.wants(departed(delay_minutes)) is told


async def test_the_airline_is_called_once(tmp_path: Path) -> None:
    with web_server() as website:
        website.answers = [(201, {"Content-Type": "application/json"}, b'{"ticket": 7}')]
        ctx = equipped(tmp_path, settings={"webhook_url": website.url + "/{carrier}/hook"}, task=call_airline)
        answer = await call_airline(ctx, FlightCancelled(**FLIGHT))
        assert answer == await call_airline(ctx.next_attempt(), FlightCancelled(**FLIGHT))
        await equipment_of(ctx).http.aclose()
    assert answer == {"status": 201, "body": {"ticket": 7}}
    [request] = website.requests
    assert (request.method, request.path) == ("POST", "/UA/hook")
    assert request.headers["idempotency-key"] == "job-1:webhook"
    assert json.loads(request.body)["scheduled_departure_at"] == SCHEDULED.isoformat()


async def test_an_airline_that_says_no_fails_the_job(tmp_path: Path) -> None:
    with web_server() as website:
        website.answers = [(422, {}, b"")]
        ctx = equipped(tmp_path, settings={"webhook_url": website.url}, task=call_airline)
        with pytest.raises(Fail):
            await call_airline(ctx, FlightCancelled(**FLIGHT))
        await equipment_of(ctx).http.aclose()


async def test_without_a_webhook_nobody_is_called(tmp_path: Path) -> None:
    with pytest.raises(Discard, match="HEADRACE_TASKS_WEBHOOK_URL"):
        await call_airline(equipped(tmp_path, task=call_airline), FlightCancelled(**FLIGHT))


async def test_events_counted_again_change_nothing(tmp_path: Path) -> None:
    arrived = FlightArrived(
        **FLIGHT, scheduled_arrival_at=SCHEDULED, arrived_at=SCHEDULED, arrival_delay_minutes=120
    )
    for _ in range(3):  # each time by another worker
        for number, event in enumerate([departed(20), departed(5), arrived, FlightCancelled(**FLIGHT)]):
            envelope = event.to_event(source="/flights", id=str(number))
            await count_flight(equipped(tmp_path, event=envelope, task=count_flight), event)
    [count] = count_by_carrier(facts_of(tmp_path / "facts", DAY))
    assert (count.departed, count.arrived, count.cancelled, count.late) == (2, 1, 1, 1)
    assert count.delay_minutes == 25
