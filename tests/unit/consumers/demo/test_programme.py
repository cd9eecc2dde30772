"""What is played of a day."""

from collections import Counter

import pytest

from consumers.demo.programme import TOPIC, Entry, Kind, programme_of
from events import codec
from events.errors import Undecodable
from tests.unit.consumers.demo.making import flight

FLIGHTS = [flight(number=number, tail_number=f"N{number}") for number in range(1, 401)]


def decoded(entry: Entry) -> str:
    record = entry.record
    event = codec.decode(
        key=record.key, value=record.value, headers=record.headers, topic=TOPIC, partition=0, offset=0
    )
    return event.id


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return programme_of(FLIGHTS)


def test_every_flight_is_played_and_some_of_everything_else(entries: list[Entry]) -> None:
    kinds = Counter(entry.kind for entry in entries)
    assert kinds[Kind.EVENT] == 2 * len(FLIGHTS)
    assert all(0 < kinds[kind] < 100 for kind in (Kind.REPEAT, Kind.UNWANTED, Kind.UNREADABLE)), kinds


def test_entries_come_in_the_order_of_their_time(entries: list[Entry]) -> None:
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


def test_events_have_ids_of_their_own_and_repeats_have_those_of_the_first(entries: list[Entry]) -> None:
    ids = [decoded(entry) for entry in entries if entry.kind is Kind.EVENT]
    assert len(set(ids)) == len(ids)
    assert {decoded(entry) for entry in entries if entry.kind is Kind.REPEAT} <= set(ids)


def test_what_is_meant_to_be_unreadable_is(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.kind is Kind.UNREADABLE:
            with pytest.raises(Undecodable):
                decoded(entry)


def test_the_same_flights_make_the_same_programme(entries: list[Entry]) -> None:
    assert programme_of(FLIGHTS) == entries
    assert programme_of(FLIGHTS, seed=1) != entries
