"""The chart sets only variables the worker reads, to values it accepts."""

from pathlib import Path

import pytest

from consumers.settings import WorkerSettings
from consumers.tasks.settings import TaskSettings
from tests.helm.chart import VARIANTS, Chart, environment

KNOWN = {f"HEADRACE_{name.upper()}" for name in WorkerSettings.model_fields} | {
    f"HEADRACE_TASKS_{name.upper()}" for name in TaskSettings.model_fields
}


@pytest.mark.parametrize("variant", [None, *VARIANTS], ids=lambda path: path.stem if path else "defaults")
def test_every_variable_is_a_setting(
    chart: Chart, variant: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = environment(chart.render(variant=variant).worker)
    assert {name for name in variables if name.startswith("HEADRACE_")} <= KNOWN
    for name, value in variables.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "given")
    settings = WorkerSettings()
    assert settings.port == 8080
    assert settings.drain_seconds == float(variables["HEADRACE_DRAIN_SECONDS"])
