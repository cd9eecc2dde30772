"""Which times run: policies for missed ones, overlap, and the catch-up window."""

from typing import Any

import pytest

from consumers.scheduling.occurrences import AT_ONCE, Plan, plan
from consumers.scheduling.schedule import Schedule, schedule_from
from consumers.scheduling.timetable import Timetable

S = 1_000


def schedule(**given: Any) -> Schedule:
    return Schedule(name="s", task="t", timetable=Timetable(every_ms=10 * S), **given)


def fired(made: Plan) -> list[int]:
    return [each // S for each in made.fired]


def skipped(made: Plan) -> list[tuple[int, int, int, str]]:
    return [
        (skip.first_ms // S, skip.last_ms // S, skip.count, skip.why.split(":")[0]) for skip in made.skipped
    ]


def test_nothing_before_its_time() -> None:
    assert plan(schedule(), 100 * S, 100 * S - 1, busy=False) == Plan(next_ms=100 * S)


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
@pytest.mark.parametrize("overlap", ["allow", "skip", "queue"])
def test_in_time_every_policy_runs_it(missed: Any, overlap: Any) -> None:
    made = plan(schedule(missed=missed, overlap=overlap), 100 * S, 100 * S + 30, busy=False)
    assert made == Plan((100 * S,), (), 110 * S)


@pytest.mark.parametrize(
    ("missed", "now", "runs", "skips"),
    [
        ("once", 335, [330], [(100, 320, 23, "missed")]),
        ("skip", 335, [330], [(100, 270, 18, "missed"), (280, 320, 5, "missed")]),
        ("all", 135, [100, 110, 120, 130], []),
        ("all", 335, list(range(100, 340, 10)), []),
    ],
)
def test_missed(missed: Any, now: int, runs: list[int], skips: list[Any]) -> None:
    made = plan(schedule(missed=missed), 100 * S, now * S, busy=False)
    assert fired(made) == runs
    assert skipped(made) == skips
    assert made.next_ms == (now // 10 + 1) * 10 * S


def test_skip_runs_none_that_is_a_minute_late() -> None:
    hourly = Schedule(name="s", task="t", timetable=Timetable(every_ms=3_600 * S), missed="skip")
    assert fired(plan(hourly, 3_600 * S, 3_659 * S, busy=False)) == [3_600]
    late = plan(hourly, 3_600 * S, 3_661 * S, busy=False)
    assert (late.fired, late.next_ms) == ((), 7_200 * S)
    assert skipped(late) == [(3_600, 3_600, 1, "missed")]


def test_the_window_holds_for_all() -> None:
    made = plan(schedule(missed="all", catch_up_seconds=25), 100 * S, 155 * S, busy=False)
    assert fired(made) == [130, 140, 150]
    assert skipped(made) == [(100, 120, 3, "missed")]


def test_many_come_in_bounded_groups() -> None:
    made = plan(schedule(missed="all"), 10 * S, 10_000 * S, busy=False)
    assert len(made.fired) == AT_ONCE
    assert made.next_ms == made.fired[-1] + 10 * S


def test_overlap_skip() -> None:
    busy = plan(schedule(overlap="skip"), 100 * S, 101 * S, busy=True)
    assert (busy.fired, skipped(busy), busy.next_ms) == ((), [(100, 100, 1, "overlap")], 110 * S)
    several = plan(schedule(overlap="skip", missed="all"), 100 * S, 125 * S, busy=False)
    assert (fired(several), skipped(several)) == ([100], [(110, 120, 2, "overlap")])


def test_overlap_queue_waits_and_starts_one_at_a_time() -> None:
    queued = schedule(overlap="queue", missed="all")
    assert plan(queued, 100 * S, 125 * S, busy=True) == Plan(next_ms=100 * S, waits=True)
    assert plan(queued, 100 * S, 125 * S, busy=False) == Plan((100 * S,), (), 110 * S)
    newest = plan(schedule(overlap="queue"), 100 * S, 125 * S, busy=False)
    assert (fired(newest), newest.next_ms) == ([120], 130 * S)


def test_overlap_allow_does_not_mind() -> None:
    assert fired(plan(schedule(missed="all"), 100 * S, 115 * S, busy=True)) == [100, 110]


def test_jitter_is_the_same_for_a_time_and_bounded() -> None:
    jittered = schedule(jitter_seconds=5)
    delays = {jittered.start_ms(moment) - moment for moment in range(0, 1_000 * S, 10 * S)}
    assert 0 <= min(delays) <= max(delays) <= 5 * S
    assert len(delays) > 50
    assert jittered.start_ms(10 * S) == schedule(jitter_seconds=5).start_ms(10 * S)
    assert schedule().start_ms(10 * S) == 10 * S


def test_a_schedule_survives_its_document() -> None:
    made = schedule(args={"a": 1}, missed="all", overlap="queue", catch_up_seconds=60, jitter_seconds=2)
    assert schedule_from(made.document()) == made
    cron = Schedule(name="c", task="t", timetable=Timetable(cron="0 9 13 * 5", timezone="UTC", day_and=True))
    assert schedule_from(cron.document()) == cron


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"schedule": 1},
        {"task": ""},
        {"cron": "no"},
        {"cron": None},
        {"missed": "x"},
        {"every_seconds": "1"},
    ],
)
def test_a_strange_document_is_refused(broken: dict[str, Any]) -> None:
    good = Schedule(name="c", task="t", timetable=Timetable(cron="0 9 * * *")).document()
    with pytest.raises(ValueError, match=r"not a schedule|wanted text|number of fields|neither|missed="):
        schedule_from({**good, **broken} if broken else {})
