"""Priorities: 8 : 4 : 1 while all wait, first in first out within one, and a tenth of the slots for high."""

import itertools
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.engine.ready import HIGH, LOW, NORMAL, TURNS, Ready


class Waiting:
    def __init__(self, rank: int, number: int) -> None:
        self.rank, self.number = rank, number


def filled(*counts: int) -> Ready:
    ready: Any = Ready()
    for rank, count in enumerate(counts):
        for number in range(count):
            ready.add(Waiting(rank, number))
    return ready


def taken(ready: Any, count: int) -> list[Any]:
    return [ready.take() for _ in range(count)]


def test_while_all_wait_they_go_eight_to_four_to_one() -> None:
    assert Counter(TURNS) == {HIGH: 8, NORMAL: 4, LOW: 1}
    ranks = Counter(job.rank for job in taken(filled(1000, 1000, 1000), 130))
    assert ranks == {HIGH: 80, NORMAL: 40, LOW: 10}


def test_low_never_starves_and_normal_shares_when_no_high_waits() -> None:
    ranks = Counter(job.rank for job in taken(filled(0, 1000, 1000), 130))
    assert ranks[LOW] == 10
    assert ranks[NORMAL] == 120


def test_only_high_is_taken_when_the_rest_of_the_slots_is_full() -> None:
    ready: Any = filled(1, 5, 5)
    assert ready.take(only_high=True).rank == HIGH
    assert ready.take(only_high=True) is None
    assert len(ready) == 10


@given(st.lists(st.integers(0, 2)))
def test_nothing_is_lost_and_each_priority_keeps_its_order(ranks: list[int]) -> None:
    ready: Any = Ready()
    for number, rank in enumerate(ranks):
        ready.add(Waiting(rank, number))
    jobs = taken(ready, len(ranks))
    assert ready.take() is None
    assert len(ready) == 0
    assert sorted(job.number for job in jobs) == list(range(len(ranks)))
    for rank in range(3):
        numbers = [job.number for job in jobs if job.rank == rank]
        assert all(one < two for one, two in itertools.pairwise(numbers))


def test_what_was_put_back_is_next_of_its_priority() -> None:
    ready: Any = filled(0, 2, 0)
    first = ready.take()
    ready.put_back(first)
    assert ready.take() is first
