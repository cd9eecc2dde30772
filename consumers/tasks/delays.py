"""Tell the delay desk when a flight leaves late. The mail is a job of its own, with its own tries."""

from typing import Any, Final

from consumers import Context, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.mail import send_email
from schemas.flights import FlightDeparted

LONG_DELAY_MINUTES: Final = 60


def is_long_delay(event: FlightDeparted) -> bool:
    """Whether anybody wants to hear of it."""
    return event.departure_delay_minutes >= LONG_DELAY_MINUTES


@task(on=FlightDeparted, when=is_long_delay)
async def notify_delay(ctx: Context, event: FlightDeparted) -> dict[str, Any]:
    """Enqueue one mail. Its job id comes from this job, so a repeat of this one does not mail twice."""
    flight = f"{event.carrier} {event.flight} to {event.dest}"
    late = f"{event.departure_delay_minutes} minutes late"
    mail = await ctx.enqueue(
        send_email,
        to=equipment_of(ctx).settings.delay_desk,
        subject=f"{flight} left {late}",
        body=f"Flight {flight} left {event.origin} {late} on {event.day}.\n",
    )
    return {"mail": mail}
