"""Events that mean the same run once: a task with its own key runs where equal keys meet."""

import asyncio
from pathlib import Path

from schemas.job import job_id
from tests.integration.observing import (
    event,
    events_state,
    jobs_state,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.waiting import until

ORDERS = 8
PARTITIONS = 3


async def test_equal_keys_meet_whatever_partition_their_events_are_in(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    topic = topic_of(app_id)
    placed = [
        event("order.placed", f"p{order}", order=order, amount=1.5, retry=order % 2 == 0)
        for order in range(ORDERS)
    ]
    again = [
        event("order.changed", f"c{order}", order=order, amount=2.5, retry=order % 2 == 0)
        for order in range(ORDERS)
    ]
    jobs = {job_id("bill", order) for order in range(ORDERS)}

    async def all_finished() -> bool:
        await asyncio.sleep(0.2)
        state = await jobs_state(broker, app_id)
        return state.finished.keys() == jobs and len(state.records) == 2 * ORDERS

    settings = {"default_partitions": PARTITIONS, "jobs_partitions": PARTITIONS}
    async with observing(broker, app_id, tmp_path, "hopping", **settings):
        for each in [*placed, *again]:
            await publish(broker, topic, each, key=each.id)
        await until(all_finished, within_seconds=90)
    billed = notes(tmp_path, "started", task="bill")
    assert len({note.job_id for note in billed}) == ORDERS
    for order in range(ORDERS):
        runs = [note for note in billed if note.facts["order"] == order]
        assert [note.attempt for note in runs] == ([1, 2] if order % 2 == 0 else [1])
        assert {note.job_id for note in runs} == {job_id("bill", order)}
        assert len({(note.event_id, note.facts["type"], note.facts["amount"]) for note in runs}) == 1
        assert runs[0].event_id in (f"p{order}", f"c{order}"), "it sees the event, not the request"
    await _check_places(broker, app_id)
    assert sorted(note.event_id for note in notes(tmp_path, task="see")) == sorted(e.id for e in placed)


async def _check_places(broker: str, app_id: str) -> None:
    jobs, events = await jobs_state(broker, app_id), await events_state(broker, app_id)
    assert len({record.partition for record in events.records}) > 1, "events lie apart"
    by_key: dict[bytes, set[int]] = {}
    for record in jobs.records:
        by_key.setdefault(record.key, set()).add(record.partition)
    assert len(by_key) == ORDERS
    assert {len(partitions) for partitions in by_key.values()} == {1}, "equal keys lie together"
    assert {len(records) for records in jobs.finished.values()} == {1}
    assert len(events.finished) == ORDERS, "only the other task's jobs are settled where the events lie"
