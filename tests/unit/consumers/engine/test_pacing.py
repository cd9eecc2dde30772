from types import SimpleNamespace

import pytest

from consumers.engine.pacing import Pacing
from consumers.rates import Rate
from schemas.job import JobState

BEGUN_MS = 1_000_000


class Clock:
    """A clock and what it is asked to do later."""

    def __init__(self):
        self.now, self.waiting = BEGUN_MS, []

    def now_ms(self):
        return self.now

    def later(self, seconds, then):
        self.waiting.append((self.now + seconds * 1000, then))

    def until(self, end):
        while due := sorted((each for each in self.waiting if each[0] <= end), key=lambda each: each[0]):
            self.waiting.remove(due[0])
            self.now = max(self.now, int(due[0][0]))  # the loop may be a little early
            due[0][1]()
        self.now = end


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pacing(clock):
    clock.started, clock.parked = [], []
    return Pacing(
        now_ms=clock.now_ms,
        push=lambda job: clock.started.append((job.name, clock.now - BEGUN_MS)),  # type: ignore[attr-defined]
        park=lambda job, decision: clock.parked.append((job.name, decision)),  # type: ignore[attr-defined]
        later=clock.later,
    )


def job(name, stored=None, *, key=None, due=0):
    return SimpleNamespace(
        name=name,
        task_name="t",
        key=key,
        stored=stored,
        due_ms=BEGUN_MS + due,
        settling=False,
        interrupted=False,
    )


def test_what_is_soon_waits_in_memory_and_what_is_not_is_parked(clock, pacing):
    for number in range(7):
        pacing.take(job(number), Rate(2, 1))
    clock.until(BEGUN_MS + 10_000)
    assert clock.started == [(0, 500), (1, 1000), (2, 1500), (3, 2000)]
    parked = [(name, decision.due_ms - BEGUN_MS, decision.state) for name, decision in clock.parked]
    assert parked == [(number, (number + 1) * 500, JobState.SCHEDULED) for number in (4, 5, 6)]


def test_what_was_parked_starts_in_its_turn_also_when_those_before_were_late(clock, pacing):
    rate = Rate(2, 1)
    for number in range(6):
        pacing.take(job(number), rate)
    clock.until(BEGUN_MS + 1_900)
    pacing.take(job("new"), rate)
    clock.now = BEGUN_MS + 2_400  # the loop was busy: 3 starts late
    clock.until(BEGUN_MS + 2_500)
    pacing.take(job(4, JobState.SCHEDULED, due=2_500), rate)
    pacing.take(job(5, JobState.SCHEDULED, due=3_000), rate)
    clock.until(BEGUN_MS + 9_000)
    assert clock.started[3:] == [(3, 2_400), (4, 2_900), (5, 3_400), ("new", 3_900)]
    assert [name for name, _ in clock.parked] == [4, 5]


def test_a_backlog_starts_in_its_order_and_what_is_not_soon_waits_on_disk(clock, pacing):
    for number in range(30):
        pacing.take(job(number, JobState.SCHEDULED, due=number - 1_000), Rate(2, 1))
    assert [name for name, _ in clock.parked] == list(range(4, 30))
    dues = [decision.due_ms for _, decision in clock.parked]
    assert dues == sorted(set(dues))
    clock.until(BEGUN_MS + 9_000)
    assert clock.started == [(0, 500), (1, 1000), (2, 1500), (3, 2000)]


def test_one_that_was_cancelled_meanwhile_does_not_start(clock, pacing):
    gone = job("gone")
    pacing.take(gone, Rate(1, 1))
    gone.settling = True
    clock.until(BEGUN_MS + 5_000)
    assert clock.started == []


def test_keys_do_not_wait_for_each_other(clock, pacing):
    clock.until(BEGUN_MS + 60_000)
    for number in range(3):
        pacing.take(job(number, key=b"%d" % number), Rate(1, 60, per_key=True))
    assert [started for _, started in clock.started] == [60_000] * 3


def test_a_retry_that_is_too_early_stays_a_retry(clock, pacing):
    pacing.take(job("again", JobState.RETRYING), Rate(1, 60))
    ((_, decision),) = clock.parked
    assert decision.state is JobState.RETRYING


def test_one_timer_wakes_a_line(clock, pacing):
    for number in range(1000):
        pacing.take(job(number), Rate(1000, 1))
    clock.until(BEGUN_MS + 100)
    assert len(clock.waiting) == 1
    clock.until(BEGUN_MS + 5_000)
    assert [name for name, _ in clock.started] == list(range(1000))
    assert clock.waiting == []
