"""How many jobs a programme asks for, worked out from what is published and not from what the workers say.

It knows the subscriptions by heart instead of asking the registry: that would be asking the party under test.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from consumers.demo.programme import Entry, Kind
from consumers.demo.tasks import wants_gate
from consumers.tasks.delays import is_long_delay
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted, FlightEvent


@dataclass(slots=True)
class Expectation:
    """What there must be when everything is settled. `requests` are jobs asked for, repeats included."""

    published: int = 0
    subscribed: int = 0
    unsubscribed: int = 0
    unreadable: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    flights: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count one more entry that was published."""
        self.published += 1
        match entry.kind:
            case Kind.UNWANTED:
                self.unsubscribed += 1
            case Kind.UNREADABLE:
                self.unreadable += 1
            case Kind.EVENT | Kind.REPEAT:
                assert entry.event is not None
                self.subscribed += 1
                tasks = list(tasks_for(entry.event))
                self.requests.update(tasks)
                if entry.kind is Kind.REPEAT:
                    self.skipped += len(tasks)
                else:
                    self._add_first(entry.event, tasks)

    def _add_first(self, event: FlightEvent, tasks: list[str]) -> None:
        self.flights[event.type.rpartition(".")[2]] += 1
        # Each notice that completes asks for one mail; a repeat is skipped and asks for none.
        self.requests["send_email"] += tasks.count("notify_delay")

    def enqueued(self, task: str, count: int = 1) -> None:
        """Count jobs asked for directly."""
        self.requests[task] += count

    @property
    def jobs(self) -> int:
        """All jobs asked for."""
        return self.requests.total()


def expectation_of(entries: Iterable[Entry]) -> Expectation:
    """The expectation of a programme played whole."""
    expectation = Expectation()
    for entry in entries:
        expectation.add(entry)
    return expectation


def tasks_for(event: FlightEvent) -> Iterator[str]:
    """The tasks that run for an event of a flight."""
    yield "count_flight"
    if isinstance(event, FlightDeparted) and is_long_delay(event):
        yield "notify_delay"
    if isinstance(event, FlightCancelled):
        yield "call_airline"
        yield "rebook_passengers"
    if isinstance(event, FlightArrived) and wants_gate(event):
        yield "find_gate"
