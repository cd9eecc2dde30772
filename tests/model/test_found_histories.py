"""Histories that once broke a rule, as the steps they were printed with."""

import re

import pytest

from tests.model.clock import simulated
from tests.model.steps import TABLE, run

FOUND = {
    "a repair put older truth behind a tombstone that was under way": (
        "publish(16) publish(16) publish(0) publish(0) publish(0) publish(0) publish(0) publish(0) "
        "publish(0) publish(0) deliver(4) ack(0) finish(0) publish(0) ack(0) publish(0) publish(0) "
        "start(1) publish(0) take_over(0)"
    ),
}


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND.keys())
def test_it_keeps_the_rules_now(steps: str) -> None:
    with simulated():
        run(_history(steps))


def _history(steps: str) -> bytes:
    first = {name: number for number, name in reversed(list(enumerate(TABLE)))}
    return b"".join(
        bytes([first[name], int(argument)]) for name, argument in re.findall(r"(\w+)\((\d+)\)", steps)
    )
