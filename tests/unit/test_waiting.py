"""`until` waits for facts, plain and async, and says what it last saw."""

import pytest

from tests.waiting import until, until_now


async def test_it_gives_what_the_fact_said() -> None:
    said = iter([0, None, "", 7])
    assert await until(lambda: next(said)) == 7

    async def fact() -> str:
        return "yes"

    assert await until(fact) == "yes"
    assert until_now(lambda: "now") == "now"


async def test_a_failed_assertion_is_not_yet_and_the_reason_at_the_bound() -> None:
    def never() -> bool:
        raise AssertionError("not there")

    with pytest.raises(AssertionError, match="the door opens") as late:
        await until(never, within_seconds=0, saying="the door opens")
    assert str(late.value.__cause__) == "not there"
    with pytest.raises(AssertionError, match=r"last: 0"):
        until_now(lambda: 0, within_seconds=0)
