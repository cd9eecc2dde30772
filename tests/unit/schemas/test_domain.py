import datetime as dt

import pytest

from schemas.domain import CATALOGUE, DomainEvent, model_of
from schemas.flights import FlightArrived, FlightCancelled, FlightDeparted

NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)


class SeatChanged(DomainEvent):
    type = "test.seat.changed"
    topic = "seats"

    seat: str

    def key(self) -> str:
        return self.seat


class SeatChangedAgain(DomainEvent):
    type = "test.seat.changed"
    topic = "seats"
    version = 2

    seat: str
    row: int


def define(name: str, **attributes: object) -> type[DomainEvent]:
    metaclass = type(DomainEvent)
    return metaclass(name, (DomainEvent,), {**attributes, "__module__": __name__, "__qualname__": name})


def test_an_event_knows_its_envelope() -> None:
    event = SeatChanged(seat="12A").to_event(source="/cabin", id="17", time=NOON)
    assert (event.type, event.source, event.id, event.time) == ("test.seat.changed", "/cabin", "17", NOON)
    assert event.raw_data == b'{"seat":"12A"}'
    assert event.extensions == {}
    assert event.version == 1


def test_a_second_version_says_so() -> None:
    assert SeatChangedAgain(seat="12A", row=12).to_event(source="/cabin").extensions == {"dataversion": "2"}


def test_without_an_id_every_envelope_is_an_event_of_its_own() -> None:
    seat = SeatChanged(seat="12A")
    assert seat.to_event(source="/cabin").id != seat.to_event(source="/cabin").id


def test_a_newer_publisher_may_say_more() -> None:
    assert SeatChanged.model_validate_json('{"seat": "12A", "legroom": 81}') == SeatChanged(seat="12A")


def test_the_catalogue_finds_a_model_by_type_and_version() -> None:
    assert model_of("test.seat.changed") is SeatChanged
    assert model_of("test.seat.changed", 2) is SeatChangedAgain
    assert model_of("test.seat.changed", 3) is None
    assert CATALOGUE[("flight.departed", 1)] is FlightDeparted


def test_two_classes_cannot_claim_one_type_and_version() -> None:
    with pytest.raises(
        TypeError, match=r"Rival and .*\.SeatChanged are both version 1 of 'test.seat.changed'"
    ):

        class Rival(DomainEvent):
            type = "test.seat.changed"
            topic = "seats"


def test_a_reloaded_module_replaces_its_own_classes() -> None:
    namespace = {
        "type": "test.reloaded",
        "topic": "seats",
        "__module__": __name__,
        "__qualname__": "Reloaded",
    }
    type(DomainEvent)("Reloaded", (DomainEvent,), dict(namespace))
    second = type(DomainEvent)("Reloaded", (DomainEvent,), dict(namespace))
    assert model_of("test.reloaded") is second


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"type": ""}, "type is ''"),
        ({"type": "test.a", "topic": None}, "topic is None"),
        ({"type": "test.a", "topic": "t", "version": 0}, "version is 0"),
    ],
)
def test_a_class_that_cannot_be_published_is_refused(attributes: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=f"Wrong: {message}"):
        type(DomainEvent)(
            "Wrong", (DomainEvent,), {**attributes, "__module__": __name__, "__qualname__": "Wrong"}
        )


FLIGHT = {
    "carrier": "UA", "flight": 1545, "tail_number": "N14228", "origin": "EWR", "dest": "IAH",
    "day": dt.date(2013, 1, 1), "scheduled_departure_at": NOON,
}  # fmt: skip


def test_a_flight_happens_when_it_says_and_keeps_the_order_of_its_aircraft() -> None:
    later = NOON + dt.timedelta(minutes=75)
    departed = FlightDeparted(**FLIGHT, departed_at=later, departure_delay_minutes=75)
    arrived = FlightArrived(**FLIGHT, scheduled_arrival_at=NOON, arrived_at=later, arrival_delay_minutes=75)
    cancelled = FlightCancelled(**FLIGHT | {"tail_number": None})
    assert [event.to_event(source="/").time for event in (departed, arrived, cancelled)] == [
        later,
        later,
        NOON,
    ]
    assert [event.key() for event in (departed, arrived, cancelled)] == ["N14228", "N14228", None]
    assert FlightDeparted.model_validate_json(departed.to_event(source="/").raw_data or b"") == departed
