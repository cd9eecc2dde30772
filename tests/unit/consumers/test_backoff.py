import datetime as dt

import pytest

from consumers import Exponential, Fixed, Linear


def most() -> float:
    return 1.0


def test_fixed_waits_the_same():
    assert [Fixed(5).delay_seconds(n, most) for n in (1, 2, 9)] == [5, 5, 5]


def test_linear_grows_to_its_cap():
    assert [Linear(2, cap=5).delay_seconds(n, most) for n in (1, 2, 3, 4)] == [2, 4, 5, 5]


def test_exponential_doubles_to_its_cap():
    assert [Exponential(1, cap=10).delay_seconds(n, most) for n in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, 10]


def test_a_thousand_attempts_do_not_overflow():
    assert Exponential(1, cap=300).delay_seconds(100_000, most) == 300


@pytest.mark.parametrize("policy", [Fixed(8, jitter="full"), Linear(8), Exponential(8)])
def test_full_jitter_is_anything_up_to_the_wait(policy):
    assert policy.delay_seconds(1, lambda: 0.0) == 0
    assert policy.delay_seconds(1, lambda: 0.25) == 2


def test_without_jitter_chance_is_not_asked():
    assert Exponential(3, jitter="none").delay_seconds(1, lambda: 0.1) == 3


def test_timedeltas():
    assert Fixed(dt.timedelta(minutes=1)).delay_seconds(1, most) == 60


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Fixed(-1), "delay: wanted"),
        (lambda: Exponential(base=float("inf")), "base: wanted"),
        (lambda: Linear(cap="5"), "cap: wanted"),
        (lambda: Exponential(jitter="equal"), "jitter='equal'"),
    ],
)
def test_wrong_policies_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
