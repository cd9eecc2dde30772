"""Ten thousand histories of intake, out-of-order settlement, rebalances, freezes and crashes: the rules hold.

Intake, trackers, partitions, settlement, parking, repair and the consumer are the real ones.
`HEADRACE_TEST_HISTORIES` asks for more. A failing history is printed as its steps and, shrunk, as bytes to be
given to `run`.
"""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.clock import simulated
from tests.model.histories import FEWEST_STEPS
from tests.model.steps import run

HISTORIES = int(os.environ.get("HEADRACE_TEST_HISTORIES", "10000"))
USUAL_STEPS = 28
histories = st.integers(FEWEST_STEPS, USUAL_STEPS).flatmap(
    lambda steps: st.binary(min_size=2 * steps, max_size=2 * steps)
)


@pytest.fixture(autouse=True)
def _simulated() -> Iterator[None]:
    before = gc.get_threshold()
    gc.freeze()  # what is loaded stays: no need to look at it again in every collection
    gc.set_threshold(100_000, 10, 10)
    with simulated():
        yield
    gc.set_threshold(*before)
    gc.unfreeze()


@settings(
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(histories)
def test_the_rules_hold_in_every_history(history: bytes) -> None:
    run(history)
