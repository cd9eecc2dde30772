"""What happened to a flight, as domain events."""

import datetime as dt
from collections.abc import Iterator

from consumers.demo.dataset import Flight
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted, FlightEvent


def events_of(flight: Flight) -> Iterator[FlightEvent]:
    """Its departure and arrival, or its cancellation. A diverted flight departs and does not arrive."""
    about = {
        "carrier": flight.carrier,
        "flight": flight.number,
        "tail_number": flight.tail_number,
        "origin": flight.origin,
        "dest": flight.dest,
        "day": flight.day,
        "scheduled_departure_at": flight.scheduled_departure_at,
    }
    if flight.departure_delay_minutes is None:
        yield FlightCancelled.model_validate(about)
        return
    yield FlightDeparted.model_validate(
        {
            **about,
            "departed_at": _later(flight.scheduled_departure_at, flight.departure_delay_minutes),
            "departure_delay_minutes": flight.departure_delay_minutes,
            "scheduled_arrival_at": flight.scheduled_arrival_at,
            "distance_miles": flight.distance_miles,
        }
    )
    if flight.arrival_delay_minutes is not None:
        yield FlightArrived.model_validate(
            {
                **about,
                "scheduled_arrival_at": flight.scheduled_arrival_at,
                "arrived_at": _later(flight.scheduled_arrival_at, flight.arrival_delay_minutes),
                "arrival_delay_minutes": flight.arrival_delay_minutes,
                "air_time_minutes": flight.air_time_minutes,
            }
        )


def _later(moment: dt.datetime, minutes: int) -> dt.datetime:
    return moment + dt.timedelta(minutes=minutes)
