"""The demo's own two tasks."""

import datetime as dt

import pytest

from consumers import Context, Discard, Retry
from consumers.demo.tasks import GATE_POLL_SECONDS, find_gate, rebook_passengers, wants_gate
from consumers.demo.timetable import events_of
from schemas.flights import FlightArrived, FlightCancelled
from tests.unit.consumers.demo.making import NOON, cancelled, flight


def arrived(**changes: object) -> FlightArrived:
    *_, event = events_of(flight(**changes))
    assert isinstance(event, FlightArrived)
    return event


def gone(**changes: object) -> FlightCancelled:
    (event,) = events_of(cancelled(**changes))
    assert isinstance(event, FlightCancelled)
    return event


async def test_a_gate_is_found_where_there_is_one() -> None:
    assert await find_gate(Context.fake(), arrived(number=17)) == {"gate": "ORD-18"}


async def test_asking_again_for_a_gate_is_no_failure() -> None:
    with pytest.raises(Retry) as asked:
        await find_gate(Context.fake(), arrived(number=40))
    assert (asked.value.defer, asked.value.count) == (GATE_POLL_SECONDS, False)


@pytest.mark.parametrize(("dest", "wants"), [("ORD", True), ("BOS", False)])
def test_only_crowded_airports_are_asked(dest: str, wants: bool) -> None:
    assert wants_gate(arrived(dest=dest)) is wants


async def test_passengers_are_rebooked_unless_the_day_is_over() -> None:
    assert await rebook_passengers(Context.fake(), gone()) == {"rebooked": True}
    late = NOON + dt.timedelta(hours=10)
    with pytest.raises(Discard, match="no later flight today"):
        await rebook_passengers(Context.fake(), gone(scheduled_departure_at=late))
