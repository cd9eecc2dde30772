"""Lengths and times on the command line."""

import datetime as dt

import click
import pytest

from consumers.cli.moments import Length, Moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("90s", 90), ("2h30m", 9000), ("3D", 259_200), ("2w", 1_209_600)],
)
def test_lengths(text: str, seconds: float) -> None:
    assert Length().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "-1", "soon", "2h30", "nan", "inf", "1y"])
def test_no_lengths(text: str) -> None:
    with pytest.raises(click.BadParameter, match="2h30m"):
        Length().convert(text, None, None)


def test_times() -> None:
    assert Moment().convert("2030-01-01T09:00:00Z", None, None) == dt.datetime(2030, 1, 1, 9, tzinfo=dt.UTC)
    with pytest.raises(click.BadParameter, match="has no zone"):
        Moment().convert("2030-01-01T09:00:00", None, None)
