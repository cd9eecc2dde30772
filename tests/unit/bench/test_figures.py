import statistics

import pytest

from tests.bench.contest import Row
from tests.bench.figures import Gate, gates, jobs_per_second, percentile, ratio, spread

SECOND = 1_000_000_000


def test_a_spread_is_the_median_between_the_extremes() -> None:
    found = spread([5.0, 1.0, 3.0])
    assert (found.lowest, found.median, found.highest) == (1.0, 3.0, 5.0)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(statistics.StatisticsError):
        spread([])


def test_a_rate_counts_from_the_first_job_to_the_last() -> None:
    assert jobs_per_second([(1, 10 * SECOND), (500, 11 * SECOND), (1001, 12 * SECOND)]) == 500


def test_a_rate_runs_on_until_the_records_are_written() -> None:
    tally = [(1, 0), (1001, 2 * SECOND)]
    assert jobs_per_second(tally, settled_ns=4 * SECOND) == 250
    assert jobs_per_second(tally, settled_ns=SECOND) == 500


def test_one_moment_makes_no_rate() -> None:
    with pytest.raises(ValueError, match="holds 1"):
        jobs_per_second([(1, SECOND)])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_percentiles_are_values_that_occurred(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(20.0, 2.0, 10.0), (None, 2.0, None), (20.0, None, None), (20.0, 0.0, None)],
)
def test_a_ratio_needs_both_sides(ours: float | None, theirs: float | None, expected: float | None) -> None:
    assert ratio(ours, theirs) == expected


@pytest.mark.parametrize(
    ("value", "at_most", "reached"),
    [(10.0, False, True), (9.9, False, False), (1.0, True, True), (1.1, True, False), (None, False, None)],
)
def test_a_gate_is_judged_in_its_direction(value: float | None, at_most: bool, reached: bool | None) -> None:
    gate = Gate(sentence="x", value=value, wanted=1.0 if at_most else 10.0, at_most=at_most)
    assert gate.reached is reached


def test_the_gates_are_the_promises_of_the_first_three_rows() -> None:
    medians = {
        Row.EMPTY: {"headrace": 30_000.0, "arq": 2_500.0, "faust": 20_000.0},
        Row.IO: {"headrace": 14_000.0, "arq": 2_000.0},
        Row.LATENCY: {"headrace": 2.0, "celery": 2.5},
    }
    assert [gate.value for gate in gates(medians)] == [12.0, 1.5, 7.0, 0.8]
    assert [gate.reached for gate in gates(medians)] == [True, False, True, True]


def test_a_missing_peer_leaves_its_gate_open() -> None:
    assert [gate.reached for gate in gates({Row.EMPTY: {"headrace": 1.0, "faust": 2.0}})] == [
        None,
        False,
        None,
        None,
    ]
