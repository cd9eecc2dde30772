"""Workers that are killed while they count, and events that come twice, leave the numbers exact."""

import datetime as dt
import uuid
from pathlib import Path

from consumers.tasks.flight_facts import facts_of
from schemas.flights import FlightArrived
from tests.integration.task_worker import publish, task_worker
from tests.waiting import until

# A day of its own: the topic is shared with the other tests on this broker.
DAY = dt.date(1913, 1, 1)
LANDED = dt.datetime(1913, 1, 1, 10, tzinfo=dt.UTC)
FLIGHTS = 300
KILLS = 2


def arrived(flight: int) -> FlightArrived:
    return FlightArrived(
        carrier="UA" if flight % 3 else "AA",
        flight=flight,
        origin="EWR",
        dest="IAH",
        day=DAY,
        scheduled_departure_at=LANDED,
        scheduled_arrival_at=LANDED,
        arrived_at=LANDED,
        arrival_delay_minutes=0,
    )


async def test_counts_are_exact_under_redelivery(broker: str, app_id: str, tmp_path: Path) -> None:
    source = f"/{uuid.uuid4()}"
    events = [(str(flight), arrived(flight)) for flight in range(1, FLIGHTS + 1)]
    facts_dir = tmp_path / "data" / "facts"

    def counted() -> int:
        return sum(fact.source == source for fact in facts_of(facts_dir, DAY))

    async with task_worker(broker, app_id, tmp_path) as worker:
        for round in range(KILLS):
            known = counted()
            await publish(broker, *events[: (round + 1) * FLIGHTS // (KILLS + 1)], source=source)
            await until(lambda known=known: counted() > known, within_seconds=60)
            await worker.kill()
            await worker.start()
        await publish(broker, *events, source=source)
        await until(lambda: counted() == FLIGHTS, within_seconds=60)

    ours = [fact for fact in facts_of(facts_dir, DAY) if fact.source == source]
    assert sorted(int(fact.event_id) for fact in ours) == list(range(1, FLIGHTS + 1))
    assert sum(fact.carrier == "AA" for fact in ours) == FLIGHTS // 3
    assert {fact.kind for fact in ours} == {"arrived"}
