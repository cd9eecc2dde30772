"""A model that lets a broken engine pass proves nothing: each of these is noticed within some histories."""

from collections.abc import Callable, Iterator

import pytest

from tests.model.clock import simulated
from tests.model.histories import by_chance
from tests.model.mutants import MUTANTS, Mutant, nothing_broken
from tests.model.rules import Violation
from tests.model.steps import run

HISTORIES = 6_000


@pytest.fixture(autouse=True)
def _simulated() -> Iterator[None]:
    with simulated():
        yield


def _first_violation(histories: int) -> tuple[int, Violation] | None:
    for number, history in enumerate(by_chance(seed=7, count=histories), 1):
        try:
            run(history)
        except Violation as violation:
            return number, violation
    return None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_engine_is_noticed(mutant: Mutant, record_property: Callable[[str, object], None]) -> None:
    with mutant():
        found = _first_violation(HISTORIES)
    assert found is not None, f"{mutant.__name__} lived through {HISTORIES} histories: {mutant.__doc__}"
    record_property("histories", found[0])
    record_property("violation", str(found[1]))


def test_the_same_histories_pass_when_nothing_is_broken() -> None:
    with nothing_broken():
        assert _first_violation(200) is None
