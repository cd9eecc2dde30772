"""Fixtures for unit tests of tasks, there wherever Headrace is installed.

Every pytest run in that environment loads this file, so it imports nothing of ours before a fixture is used.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from consumers.testing import FakeClock, FakeContext


@pytest.fixture
def headrace_clock() -> "FakeClock":
    """A clock that stands at 2030-01-01 UTC until the test advances it."""
    from consumers.testing import FakeClock

    return FakeClock()


@pytest.fixture
def headrace_context(headrace_clock: "FakeClock") -> "FakeContext":
    """A fresh context that tells the time of `headrace_clock`."""
    from consumers.testing import FakeContext

    return FakeContext(clock=headrace_clock)
