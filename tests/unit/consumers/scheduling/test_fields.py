"""Named fields mean what people mean by them."""

from typing import Any

import pytest

from consumers.scheduling.fields import expression_of


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ({"hour": 3, "minute": 0}, "0 3 * * *"),
        ({"weekday": 0, "hour": 9}, "0 9 * * 1"),
        ({"weekday": "sun"}, "0 0 * * 0"),
        ({"weekday": "sat-mon", "hour": 1}, "0 1 * * 6,0,1"),
        ({"minute": 30}, "30 * * * *"),
        ({"second": 10}, "10 * * * * *"),
        ({"second": 0}, "* * * * *"),
        ({"hour": 3, "second": 5}, "5 0 3 * * *"),
        ({"month": 1}, "0 0 1 1 *"),
        ({"month": "jan", "hour": [6, 18]}, "0 6,18 1 1 *"),
        ({"month": 1, "weekday": 0}, "0 0 * 1 1"),
        ({"minute": "*/15"}, "*/15 * * * *"),
        ({"hour": "9-17", "minute": 0}, "0 9-17 * * *"),
        ({"day": "L"}, "0 0 L * *"),
        ({"hour": range(0, 24, 8)}, "0 0,8,16 * * *"),
    ],
)
def test_smaller_fields_are_lowest_larger_are_every(fields: dict[str, Any], expression: str) -> None:
    assert expression_of(fields) == (expression, False)


def test_a_day_and_a_weekday_must_both_fit() -> None:
    assert expression_of({"day": 13, "weekday": "fri"}) == ("0 0 13 * 5", True)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "say when"),
        ({"hour": 24}, "hour=24: wanted 0 to 23"),
        ({"weekday": 7}, "Monday is 0"),
        ({"day": 0}, "day=0"),
        ({"minute": True}, "minute=True"),
        ({"minute": 1.5}, "minute=1.5"),
        ({"hour": []}, "never run"),
        ({"weekday": "mo"}, "'mon' or 'mon-fri'"),
        ({"minute": "*/0"}, "'\\*/15'"),
        ({"hour": "17-9"}, "hour='17-9'"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        expression_of(fields)
