import datetime as dt

import pytest

from schemas.duration import seconds_of


@pytest.mark.parametrize(("value", "seconds"), [(0, 0), (1.5, 1.5), (dt.timedelta(minutes=1), 60)])
def test_seconds_or_timedelta(value, seconds):
    assert seconds_of(value) == seconds


@pytest.mark.parametrize("value", [-1, True, None, "5", float("inf"), float("nan"), dt.timedelta(-1), 1e12])
def test_what_is_no_length(value):
    with pytest.raises(ValueError, match="wanted"):
        seconds_of(value)
