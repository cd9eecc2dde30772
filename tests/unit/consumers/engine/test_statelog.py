import time

import pytest
from aiokafka.errors import NotEnoughReplicasError

from consumers.engine import statelog as module
from consumers.engine.statedb import WRITER_HEADER, Change, Fence, fence_of
from consumers.engine.statelog import Gap, StateLog, StateLogClosed
from schemas.state import encode_state, fence_key
from tests.unit.consumers.engine.producers import Producer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)
    monkeypatch.setattr(module, "CONFIRM_LOOK_SECONDS", 0)


def statelog(producer, **more):
    return StateLog(producer=producer, topic="t", partition=3, writer=7, **more)


def changes(*ids):
    return [Change(id, encode_state({}, writer=7)) for id in ids]


async def test_records_land_in_order_and_the_last_offset_comes_back():
    producer = Producer()
    log = statelog(producer)
    assert await log.append([]) == -1
    assert await log.append(changes(b"a", b"b")) == 1
    assert await log.append(changes(b"c")) == 2
    assert await log.append([]) == 2
    assert [record.key for batch in producer.batches for record in batch] == [b"a", b"b", b"c"]
    assert log.gaps == []


async def test_what_does_not_fit_one_batch_goes_into_more():
    producer = Producer(room=2)
    assert await statelog(producer).append(changes(b"a", b"b", b"c", b"d", b"e")) == 4
    assert [[record.key for record in batch] for batch in producer.batches] == [
        [b"a", b"b"],
        [b"c", b"d"],
        [b"e"],
    ]


async def test_only_a_tombstone_names_its_writer_in_a_header():
    producer = Producer()
    await statelog(producer).append([*changes(b"a"), Change(b"b", None)])
    assert [record.headers for record in producer.batches[0]] == [
        [],
        [(WRITER_HEADER, (7).to_bytes(8, "big"))],
    ]


async def test_a_broker_that_is_away_is_waited_for():
    producer = Producer()
    producer.errors = [NotEnoughReplicasError(), NotEnoughReplicasError()]
    assert await statelog(producer).append(changes(b"a")) == 0


async def test_offsets_somebody_else_took_are_noted():
    producer = Producer()
    log = statelog(producer)
    await log.append(changes(b"a"))
    producer.end += 3
    await log.append(changes(b"b"))
    assert log.gaps == [Gap(1, 4)]
    assert log.last == 4


async def test_after_a_gap_it_counts_only_once_the_group_still_knows_us():
    producer, asked = Producer(), []

    def heard():
        asked.append(None)
        return 0.0 if len(asked) < 3 else time.monotonic() + 1

    log = statelog(producer, heard=heard)
    await log.append(changes(b"a"))
    assert asked == []
    producer.end += 1
    await log.append(changes(b"b"))
    assert len(asked) == 3


async def test_given_away_while_it_asks_it_is_closed():
    producer = Producer()

    def heard():
        log.closed = True
        return 0.0

    log = statelog(producer, heard=heard)
    await log.append(changes(b"a"))
    producer.end += 1
    with pytest.raises(StateLogClosed, match=r"t\[3\]"):
        await log.append(changes(b"b"))


async def test_a_closed_one_writes_nothing():
    producer = Producer()
    log = statelog(producer)
    log.closed = True
    with pytest.raises(StateLogClosed):
        await log.append(changes(b"a"))
    with pytest.raises(StateLogClosed):
        log.apply(changes(b"a"), offset=0, now_ms=0)
    assert producer.batches == []


@pytest.mark.parametrize("released", [False, True])
async def test_a_fence_names_writer_term_and_release(released):
    producer = Producer()
    log = statelog(producer)
    log.term = 9
    await log.fence(released=released)
    (record,) = producer.batches[0]
    assert record.key == fence_key(3)
    assert fence_of(record.value) == Fence(7, released, 9)
