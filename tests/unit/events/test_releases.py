"""Releases compare as people count them."""

import pytest

from events.releases import is_older, release_order


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0", "1"),
        ("1.9", "1.10"),
        ("v1.9.0", "1.9.1"),
        ("2024-11-03.1", "2024-11-03.2"),
        ("build-99", "build-100"),
        ("2.0-rc1", "2.0"),
        ("2.0-rc2", "2.0-rc10"),
        ("2.0", "2.0.1"),
        ("2.0-alpha", "2.0-beta"),
        ("", "0"),
    ],
)
def test_the_older_one(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


@pytest.mark.parametrize("same", ["v2.0", " 2.0 ", "V2.0", "2.0+build5"])
def test_what_says_nothing_is_left_aside(same: str) -> None:
    assert release_order(same) == release_order("2.0")
