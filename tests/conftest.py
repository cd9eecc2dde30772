"""What every test gets: an environment without HEADRACE_* of the machine it runs on."""

import os

import pytest

# Where the jars lie and which engine runs them belong to the machine, not to the test.
KEPT = ("HEADRACE_BROKER_CACHE", "HEADRACE_BROKER_ENGINE", "HEADRACE_HELM")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the person who runs the tests decide nothing in them."""
    for name in os.environ:
        if name.startswith("HEADRACE_") and not name.startswith("HEADRACE_TEST_") and name not in KEPT:
            monkeypatch.delenv(name)
