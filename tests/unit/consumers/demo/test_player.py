"""Playing at a pace, with a clock that only moves when the player waits."""

import asyncio
import datetime as dt

import pytest

from consumers.demo import player as module
from consumers.demo.expectation import Expectation
from consumers.demo.player import Player
from consumers.demo.programme import Entry, Kind
from events.sender import Record
from tests.unit.consumers.demo.making import NOON

ENTRIES = [
    Entry(NOON + dt.timedelta(seconds=at), Kind.UNWANTED, Record("flights", None, b"%d" % at))
    for at in (0, 0, 90, 600)
]


class Hall:
    """A sender that notes when it was given what, and the clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.heard: list[tuple[float, bytes | None]] = []

    async def send(self, record: Record) -> None:
        self.heard.append((self.seconds, record.value))

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    hall = Hall()
    monkeypatch.setattr(module, "asyncio", _Loop(hall))
    return hall


class _Loop:
    def __init__(self, hall: Hall) -> None:
        self.sleep = hall.sleep
        self.gather = asyncio.gather


def player(hall: Hall, speed: float) -> Player:
    return Player(
        entries=ENTRIES,
        sender=hall,  # type: ignore[arg-type]
        expectation=Expectation(),
        speed=speed,
        monotonic=lambda: hall.seconds,
    )


async def test_entries_come_at_their_times_divided_by_the_speed(hall: Hall) -> None:
    await player(hall, 60).play()
    assert [value for _, value in hall.heard] == [b"0", b"0", b"90", b"600"]
    assert [at for at, _ in hall.heard] == pytest.approx([0, 0, 1.5, 10], abs=module.TURN_SECONDS)


async def test_speed_nought_waits_for_nothing(hall: Hall) -> None:
    await player(hall, 0).play()
    assert [at for at, _ in hall.heard] == [0, 0, 0, 0]


async def test_what_was_acknowledged_is_expected_and_shown(hall: Hall) -> None:
    playing = player(hall, 0)
    assert (playing.share, playing.now) == (0, NOON)
    await playing.play()
    assert playing.share == 1
    assert playing.now == ENTRIES[-1].at
    assert playing._expectation.published == 4
