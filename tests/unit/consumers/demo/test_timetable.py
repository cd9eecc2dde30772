"""From flights to their events."""

import datetime as dt

from consumers.demo.timetable import events_of
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted
from tests.unit.consumers.demo.making import NOON, cancelled, flight


def test_a_flight_departs_and_arrives_with_its_delays() -> None:
    departed, arrived = events_of(flight(departure_delay_minutes=75, arrival_delay_minutes=-5))
    assert isinstance(departed, FlightDeparted)
    assert departed.departed_at == NOON + dt.timedelta(minutes=75)
    assert departed.key() == "N14228"
    assert isinstance(arrived, FlightArrived)
    assert arrived.arrived_at == NOON + dt.timedelta(minutes=115)


def test_a_cancelled_flight_does_neither() -> None:
    (event,) = events_of(cancelled())
    assert isinstance(event, FlightCancelled)
    assert event.occurred_at() == NOON


def test_a_diverted_flight_departs_only() -> None:
    (event,) = events_of(flight(arrival_delay_minutes=None))
    assert isinstance(event, FlightDeparted)
