from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from consumers.telemetry.telemetry import Telemetry
from tests.unit.consumers.telemetry.clock import Clock
from tests.unit.consumers.telemetry.jobs import NOW_MS


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW_MS)


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Every structlog line of the test, as dictionaries."""
    capture = LogCapture()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture.entries
    structlog.reset_defaults()


@pytest.fixture
def telemetry(clock: Clock, lines: list[Any]) -> Telemetry:
    return Telemetry(
        tasks=["notify"], sources=["flights"], slots=8, now_ms=clock.now_ms, monotonic=clock.monotonic
    )
