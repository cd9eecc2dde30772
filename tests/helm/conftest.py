"""Helm for the tests of the chart: found, or built once from its Go module."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.helm.chart import Chart

INSTALL = Path(__file__).parents[2] / "helm" / "install-helm.sh"


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart, with a Helm to render it. Without one: skip here, fail in CI."""
    installed = subprocess.run(["sh", INSTALL], capture_output=True, text=True, check=False)
    if installed.returncode == 0:
        return Chart(Path(installed.stdout.strip()))
    reason = f"no Helm: {installed.stderr.strip()[-500:]}"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(reason)
    pytest.skip(reason)
