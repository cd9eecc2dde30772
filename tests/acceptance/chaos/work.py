"""The work a flight's event asks for, worked out from the event alone."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted, FlightEvent
from schemas.job import JobState
from tests.acceptance.chaos.fates import fate_of

FLIGHTS = FlightEvent.topic
DELAYS = "delays"
JOBS = "jobs"
HOPPING = "tally"
DELAYED = "flight.delayed"
STEPS = ("reserve", "pay")
LONG_MINUTES = 60
_SOURCES = {"note_delay": DELAYS, "send_notice": JOBS, "file_notice": JOBS, HOPPING: JOBS}


class Work(NamedTuple):
    """A job by what it is for, whatever its id."""

    task: str
    of: str

    @property
    def source(self) -> str:
        """Where it is run."""
        return _SOURCES.get(self.task, FLIGHTS)


def is_warned(event: FlightDeparted) -> bool:
    return event.departure_delay_minutes >= LONG_MINUTES


def is_long_delay(event: FlightArrived) -> bool:
    return event.arrival_delay_minutes >= LONG_MINUTES


def is_weighed(event: FlightArrived) -> bool:
    return event.flight % 20 == 0


def is_tallied(event: FlightDeparted) -> bool:
    return event.flight % 5 == 0


def tally_key(event: FlightDeparted) -> str:
    """Several flights of a day count once."""
    return f"{event.carrier} {event.dest} {event.day}"


def work_of(event: FlightEvent, id: str, record_key: str) -> Iterator[Work]:
    """The jobs its event runs here, hops included, without what those jobs send."""
    match event:
        case FlightDeparted():
            yield Work("depart", id)
            yield Work("first_seen", record_key)
            if is_tallied(event):
                yield Work("tally", tally_key(event))
            if is_warned(event):
                yield Work("warn", id)
        case FlightArrived():
            yield Work("arrive", id)
            if is_weighed(event):
                yield Work("weigh", id)
            if is_long_delay(event):
                yield Work("refund", id)
        case FlightCancelled():
            yield Work("rebook", id)


def sent_by(work: Work) -> Iterator[Work]:
    """What a job sends once it completes."""
    if work.task == "warn" and fate_of(*work).state is JobState.COMPLETED:
        for task in ("note_delay", "send_notice", "file_notice"):
            yield Work(task, work.of)
