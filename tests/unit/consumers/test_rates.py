import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.rates import KEPT_LINES, Line, Lines, Rate, read_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/s", Rate(10, 1)),
        (" 100 / min ", Rate(100, 60)),
        ("5/h per key", Rate(5, 3600, per_key=True)),
        ("1/day", Rate(1, 86_400)),
    ],
)
def test_a_rate_is_read_and_written(text, rate):
    assert read_rate(text) == rate
    assert read_rate(str(rate)) == rate


@pytest.mark.parametrize("wrong", ["10", "0/s", "10/week", "-1/s", "1.5/s", 10, None, "10/s each"])
def test_what_is_no_rate_is_refused(wrong):
    with pytest.raises(ValueError, match="wanted text such as"):
        read_rate(wrong)


@given(
    rate=st.builds(Rate, st.integers(1, 50), st.sampled_from([1, 60])),
    gaps=st.lists(st.integers(0, 400), min_size=1, max_size=80),
    late=st.lists(st.integers(0, 30), min_size=80, max_size=80),
)
def test_no_window_ever_sees_more_and_turns_keep_the_order(rate, gaps, late):
    line, now, turns, starts = Line(0.0, 0.0), 0, [], []
    for gap, delay in zip(gaps, late, strict=False):
        now += gap
        if line.planned_ms <= now and line.start(now, rate.interval_ms):
            starts.append(now)
            continue
        turns.append(line.plan(now, rate.interval_ms))
        at = int(turns[-1]) + 1 + delay
        if line.start(at, rate.interval_ms):
            starts.append(at)
    assert turns == sorted(turns)
    starts.sort()
    window = rate.seconds * 1000
    for first in range(len(starts) - rate.count):
        assert starts[first + rate.count] - starts[first] >= window


def test_a_line_never_starts_early():
    line = Line(100.5, 100.5)
    assert not line.start(100, 10)
    assert line.start(101, 10)
    assert [line.plan(105, 10), line.plan(105, 10)] == [111, 121]
    assert line.plan(105, 10, ahead=5) == 161
    assert line.start(200, 10)


def test_lines_are_of_tasks_or_of_their_keys():
    lines = Lines(0)
    rate, each = Rate(1, 1), Rate(1, 1, per_key=True)
    assert lines.of(rate, "a", b"1", 0) is lines.of(rate, "a", b"2", 0)
    assert lines.of(each, "b", b"1", 0) is not lines.of(each, "b", b"2", 0)


def test_the_owner_before_may_have_started_one_just_now():
    line = Lines(1000).of(Rate(1, 1), "a", None, 1000)
    assert line.plan(1500, 1000) == 2000


def test_lines_nobody_waits_in_are_forgotten():
    lines, rate = Lines(0), Rate(1, 1, per_key=True)
    busy = lines.of(rate, "a", b"busy", 10_000)
    busy.plan(10_000, 1000)
    for number in range(KEPT_LINES):
        lines.of(rate, "a", b"%d" % number, 10_000)
    assert len(lines._lines) < 10
    assert lines.of(rate, "a", b"busy", 10_000) is busy
