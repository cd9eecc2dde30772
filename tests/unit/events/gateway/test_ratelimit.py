import pytest

from events.gateway import ratelimit
from events.gateway.ratelimit import RateLimit


def test_a_burst_then_the_rate() -> None:
    now = [0.0]
    limit = RateLimit(2.0, 3, clock=lambda: now[0])
    assert [limit.take("a") for _ in range(3)] == [0.0] * 3
    assert limit.take("a") == pytest.approx(0.5)
    assert limit.take("b") == 0.0, "another caller has a bucket of its own"
    now[0] = 0.5
    assert limit.take("a") == 0.0
    assert limit.take("a") == pytest.approx(0.5)
    now[0] = 100.0
    assert [limit.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.5)], (
        "no more than the burst"
    )


def test_no_limit() -> None:
    limit = RateLimit(0.0, 1, clock=lambda: 0.0)
    assert [limit.take("a") for _ in range(10)] == [0.0] * 10


def test_it_forgets_whoever_was_away_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "MOST_CALLERS", 2)
    limit = RateLimit(1.0, 1, clock=lambda: 0.0)
    for caller in ("a", "b", "c"):
        assert limit.take(caller) == 0.0
    assert limit.take("c") > 0
    assert limit.take("a") == 0.0
