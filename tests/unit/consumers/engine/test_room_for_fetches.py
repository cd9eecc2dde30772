"""Which partitions are fetched from: those with room for what may come."""

from collections import Counter
from types import SimpleNamespace

import pytest
from faust.types import TP

from consumers.engine.engine import MOST_WAITING, Engine
from consumers.engine.tracker import Tracker
from consumers.engine.transport import Batch, Consumer

INPUT, OTHER, CHANGELOG, ELSEWHERE = TP("in", 0), TP("in", 1), TP("state", 0), TP("elsewhere", 0)
MOST, FARTHEST = 10, 100


def consumer(*, taken=0, first=0):
    """With so many records in flight on one input, the first of them at this offset."""
    tracker = Tracker()
    for offset in [first, *range(FARTHEST, FARTHEST + taken - 1)][:taken]:
        tracker.take(offset, 1)
    return SimpleNamespace(trackers={INPUT: tracker, OTHER: Tracker()}, waiting=Counter(), epoch=3)


def open_partitions(of, *, most=MOST):
    settings = SimpleNamespace(partition_in_flight=most, max_distance=FARTHEST)
    engine = SimpleNamespace(app=SimpleNamespace(consumer=of), _assembly=SimpleNamespace(settings=settings))
    return Engine.open_partitions(engine, {CHANGELOG, *of.trackers})


def batch(records, *, epoch=3):
    return Batch(INPUT, [None] * records, 0, epoch)


@pytest.mark.parametrize(
    ("taken", "first", "waiting", "is_open"),
    [
        (9, 99, 0, True),
        (10, 99, 0, False),
        (4, 99, 5, True),
        (4, 99, 6, False),
        (2, 2, 0, True),
        (2, 1, 0, False),
    ],
)
def test_a_partition_is_full_with_what_is_in_flight_waits_to_be_taken_or_is_too_far_ahead(
    taken, first, waiting, is_open
):
    of = consumer(taken=taken, first=first)
    of.waiting[INPUT] = waiting
    assert open_partitions(of) == ({INPUT, OTHER, CHANGELOG} if is_open else {OTHER, CHANGELOG})


@pytest.mark.parametrize(("waiting", "is_open"), [(MOST_WAITING - 2, True), (MOST_WAITING - 1, False)])
def test_nothing_of_a_topic_is_fetched_while_many_of_its_records_wait(waiting, is_open):
    of = consumer()
    elsewhere = of.trackers[ELSEWHERE] = Tracker()
    elsewhere.take(0, 1)
    of.waiting.update({INPUT: waiting, OTHER: 1})
    assert open_partitions(of, most=10 * MOST_WAITING) == (
        {INPUT, OTHER, CHANGELOG, ELSEWHERE} if is_open else {CHANGELOG, ELSEWHERE}
    )


def test_a_batch_that_was_taken_makes_room():
    of = consumer()
    of.waiting[INPUT] = 12
    Consumer.taken(of, batch(5))
    assert of.waiting[INPUT] == 7
    assert INPUT in open_partitions(of)


def test_batches_of_an_earlier_epoch_count_for_nothing():
    of = consumer()
    of.waiting[INPUT] = 12
    Consumer._begin_epoch(of)
    Consumer.taken(of, batch(12, epoch=3))
    assert (of.epoch, of.waiting[INPUT]) == (4, 0)
