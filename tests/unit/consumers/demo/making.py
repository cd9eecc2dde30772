"""Flights and pictures for the tests of the demo."""

import datetime as dt
from typing import Any

from consumers.demo.dataset import Flight

NOON = dt.datetime(2013, 7, 10, 16, tzinfo=dt.UTC)


def flight(**changes: Any) -> Flight:
    """United 17 from Newark to Chicago, on time unless changed."""
    fields: dict[str, Any] = {
        "day": dt.date(2013, 7, 10),
        "carrier": "UA",
        "number": 17,
        "tail_number": "N14228",
        "origin": "EWR",
        "dest": "ORD",
        "scheduled_departure_at": NOON,
        "scheduled_arrival_at": NOON + dt.timedelta(hours=2),
        "departure_delay_minutes": 0,
        "arrival_delay_minutes": 0,
        "air_time_minutes": 110,
        "distance_miles": 719,
    }
    return Flight(**{**fields, **changes})


def cancelled(**changes: Any) -> Flight:
    return flight(departure_delay_minutes=None, arrival_delay_minutes=None, **changes)
