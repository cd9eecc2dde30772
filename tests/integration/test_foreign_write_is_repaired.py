"""A write to the state by a stranger: the owner writes its truth again, a restore ignores it."""

import shutil
from pathlib import Path

from aiokafka import AIOKafkaProducer

from events.topics import ledger_topic, retry_topic
from schemas.cloudevent import CloudEvent
from schemas.state import decode_state, encode_state
from tests.integration.consuming import records_of
from tests.integration.observing import job_of, topic_of
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    until_finished,
    until_started,
)
from tests.waiting import until

STRANGER = 4711


async def test_the_owner_has_the_last_word(broker: str, app_id: str, tmp_path: Path) -> None:
    ledger, retry = (topic(app_id, topic_of(app_id)) for topic in (ledger_topic, retry_topic))
    done, waiting = asks(4, name="done"), asks(4, name="waiting", failures=1, defer=30)
    worker = steered(broker, app_id, tmp_path, repair_interval_seconds=1)
    async with running(worker):
        await publish_spread(broker, app_id, [*done, *waiting])
        await until_finished(broker, app_id, done)
        await until_started(tmp_path, waiting)
        parked_ids = {job_of("loose", event.id).encode() for event in waiting}

        async def all_parked() -> bool:
            return {record.key for record in await records_of(broker, retry) if record.value} >= parked_ids

        await until(all_parked, within_seconds=60)
        async with AIOKafkaProducer(bootstrap_servers=broker) as stranger:
            forged = encode_state({"state": "failed", "attempt": 99}, writer=STRANGER, revision=99)
            for id in _ids(done):
                await stranger.send_and_wait(ledger, forged, id, partition=0)
            header = [("headrace-writer", STRANGER.to_bytes(8, "big"))]
            for id in _ids(waiting):
                await stranger.send_and_wait(retry, None, id, partition=0, headers=header)
        for topic, events in ((ledger, done), (retry, waiting)):
            await until(lambda t=topic, e=events: _mended(broker, t, _ids(e)), within_seconds=60)

        await worker.kill()
        shutil.rmtree(worker.folder / "state")
        await worker.start()
        await publish_spread(broker, app_id, done)  # known, so not run again
        await until(lambda: min(starts(tmp_path)[event.id] for event in waiting) == 2, within_seconds=90)
    assert {starts(tmp_path)[event.id] for event in done} == {1}
    assert {starts(tmp_path)[event.id] for event in waiting} == {2}


def _ids(events: list[CloudEvent]) -> list[bytes]:
    return [job_of("loose", event.id).encode() for event in events]


async def _mended(broker: str, topic: str, ids: list[bytes]) -> bool:
    """Whether the last record of each of these keys is again the owner's, saying what it said before."""
    first, last = {}, {}
    for record in await records_of(broker, topic):
        if record.key in ids:
            if record.value is not None:
                first.setdefault(record.key, decode_state(record.value))
            last[record.key] = record.value
    assert all(value is not None for value in last.values())
    said = {id: decode_state(value) for id, value in last.items() if value is not None}
    assert all(record.writer != STRANGER for record in said.values())
    return {id: record.document["event"] for id, record in said.items()} == {
        id: record.document["event"] for id, record in first.items()
    }
