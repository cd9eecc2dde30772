"""What a programme asks for, worked out by hand here and compared with the registry's own opinion."""

from collections import Counter

from consumers.demo.expectation import Expectation, expectation_of, tasks_for
from consumers.demo.programme import Entry, Kind, programme_of
from consumers.demo.timetable import events_of
from consumers.loading import load
from events.sender import Record
from tests.unit.consumers.demo.making import NOON, cancelled, flight

NOISE = Record("flights", None, b"")


def entry(kind: Kind = Kind.EVENT, **of_flight: object) -> Entry:
    event = next(iter(events_of(flight(**of_flight))))
    return Entry(NOON, kind, NOISE, event)


def test_a_long_delay_is_counted_noticed_and_mailed() -> None:
    expected = expectation_of([entry(departure_delay_minutes=60)])
    assert expected.requests == Counter(count_flight=1, notify_delay=1, send_email=1)
    assert expected.jobs == 3
    assert (expected.published, expected.subscribed, expected.skipped) == (1, 1, 0)
    assert expected.flights == Counter(departed=1)


def test_a_repeat_asks_for_its_jobs_again_but_not_for_another_mail() -> None:
    expected = expectation_of(
        [entry(departure_delay_minutes=60), entry(Kind.REPEAT, departure_delay_minutes=60)]
    )
    assert expected.requests == Counter(count_flight=2, notify_delay=2, send_email=1)
    assert (expected.published, expected.subscribed, expected.skipped) == (2, 2, 2)
    assert expected.flights == Counter(departed=1)


def test_what_nobody_wants_or_can_read_asks_for_nothing() -> None:
    expected = expectation_of([Entry(NOON, Kind.UNWANTED, NOISE), Entry(NOON, Kind.UNREADABLE, NOISE)])
    assert (expected.published, expected.unsubscribed, expected.unreadable, expected.jobs) == (2, 1, 1, 0)


def test_jobs_asked_for_by_name_are_added() -> None:
    expected = Expectation()
    expected.enqueued("cleanup_files", 2)
    assert expected.requests == Counter(cleanup_files=2)


def test_the_registry_agrees_on_who_subscribed() -> None:
    registry = load(("consumers.tasks", "consumers.demo.tasks"))
    flights = [
        flight(),
        flight(departure_delay_minutes=200),
        flight(dest="LAX"),
        flight(dest="BOS"),
        cancelled(),
    ]
    for entry in programme_of(flights):
        if entry.event is None:
            continue
        wanting = [
            subscription.task.name
            for subscription in registry.matching("flights", entry.event.type)
            if subscription.task.wants(entry.event)
        ]
        assert sorted(tasks_for(entry.event)) == sorted(wanting)
