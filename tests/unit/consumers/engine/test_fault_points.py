import os
import signal

import pytest

from consumers.engine import fault_points
from consumers.engine.group import Settled
from consumers.outcomes import COMPLETED, Discarded
from tests.unit.consumers.engine.orders import a_job


@pytest.fixture
def kills(monkeypatch):
    kills = []
    monkeypatch.setattr(os, "kill", lambda pid, number: kills.append((pid, number)))
    monkeypatch.setattr(fault_points, "_armed", None)
    return kills


def test_unarmed_nothing_happens(kills):
    for text in (None, ""):
        fault_points.arm(text)
        fault_points.reached("acked", [Settled(a_job(), COMPLETED)])
    assert kills == []


def test_it_kills_once_at_its_point_and_outcome(kills, tmp_path):
    marker = tmp_path / "it:is"  # a path may hold colons
    fault_points.arm(f"phase_one:completed:{marker}")
    fault_points.reached("phase_two", [Settled(a_job(), COMPLETED)])
    fault_points.reached("phase_one", [Settled(a_job(), Discarded(""))])
    fault_points.reached("phase_one", [])
    assert kills == []
    for _ in range(2):
        fault_points.reached("phase_one", [Settled(a_job(), Discarded("")), Settled(a_job(), COMPLETED)])
    assert kills == [(os.getpid(), signal.SIGKILL)]
    assert marker.read_text() == "phase_one"


@pytest.mark.parametrize("text", ["nowhere:completed:/x", "acked", "acked:completed"])
def test_a_point_that_is_none_is_refused(kills, text):
    with pytest.raises(ValueError):  # noqa: PT011
        fault_points.arm(text)
