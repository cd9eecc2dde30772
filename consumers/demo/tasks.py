"""Two more tasks, for the ends a job of the built-in ones seldom comes to: given up in time, and dropped."""

from typing import Any, Final

from consumers import Context, Discard, Retry, task
from schemas.flights import FlightArrived, FlightCancelled

GATE_SECONDS: Final = 12.0
GATE_POLL_SECONDS: Final = 2.5
LATE_HOURS_UTC: Final = frozenset(range(5))  # from eight in the evening in New York, in summer
_CROWDED: Final = frozenset({"ATL", "ORD", "LAX"})


def wants_gate(event: FlightArrived) -> bool:
    """Only at airports where gates are short."""
    return event.dest in _CROWDED


@task(on=FlightArrived, when=wants_gate, deadline=GATE_SECONDS, max_tries=3)
async def find_gate(ctx: Context, event: FlightArrived) -> dict[str, Any]:
    """Ask until a gate is free. Asking again is no failure, so it does not count; the deadline ends it."""
    if never_free(event):
        raise Retry("no gate is free", defer=GATE_POLL_SECONDS, count=False)
    return {"gate": f"{event.dest}-{1 + event.flight % 60}"}


def never_free(event: FlightArrived) -> bool:
    """Whether every gate stays taken for longer than anybody waits."""
    return event.flight % 20 == 0


@task(on=FlightCancelled)
async def rebook_passengers(ctx: Context, event: FlightCancelled) -> dict[str, Any]:
    """Find the next flight; for the last ones of the day there is none, and nothing to do."""
    if event.scheduled_departure_at.hour in LATE_HOURS_UTC:
        raise Discard("no later flight today")
    return {"rebooked": True}
