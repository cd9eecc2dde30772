"""A worker nobody hears of any more is lost, one that said goodbye is not."""

import pytest

from consumers.cli.workers import with_state


@pytest.mark.parametrize(
    ("state", "age_ms", "told"),
    [("ready", 5_000, "ready"), ("ready", 20_001, "lost"), ("stopped", 99_999, "stopped")],
)
def test_state(state: str, age_ms: int, told: str) -> None:
    assert with_state({"state": state, "at_ms": 1_000_000 - age_ms}, 1_000_000)["state"] == told
