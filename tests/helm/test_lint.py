"""Helm has nothing to say against the chart, with its defaults and in every variant."""

from pathlib import Path

import pytest

from tests.helm.chart import VARIANTS, Chart


@pytest.mark.parametrize("variant", [None, *VARIANTS], ids=lambda path: path.stem if path else "defaults")
def test_lints_and_renders(chart: Chart, variant: Path | None) -> None:
    linted = chart.lint(variant=variant)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert chart.render(variant=variant)["StatefulSet"]["metadata"]["name"] == "jobs-headrace-worker"
