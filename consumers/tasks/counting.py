"""Note what happened to a flight. Why noting and not counting: `flight_facts`."""

from consumers import Context, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.flight_facts import FlightFact
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted

Flight = FlightDeparted | FlightArrived | FlightCancelled


@task(on=(FlightDeparted, FlightArrived, FlightCancelled), store_result=False)
async def count_flight(ctx: Context, event: Flight) -> None:
    """Keep the fact; equal events, however often they come, are one fact."""
    await equipment_of(ctx).facts.record(fact_of(ctx, event))


def fact_of(ctx: Context, event: Flight) -> FlightFact:
    """The day is the flight's own, at its origin, whenever it is processed."""
    return FlightFact(
        source=ctx.event.source,
        event_id=ctx.event.id,
        day=event.day,
        carrier=event.carrier,
        kind=event.type.rpartition(".")[2],
        delay_minutes=event.departure_delay_minutes if isinstance(event, FlightDeparted) else None,
    )
