"""The chart as a function: values in, parsed manifests or the message of a refusal out."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

HELM_FOLDER = Path(__file__).parents[2] / "helm"
CHART = HELM_FOLDER / "headrace"
VARIANTS = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE = "jobs"

Manifest = dict[str, Any]


def installed_chart() -> "Chart":
    """The chart, with a Helm to render it: found, or built once. Without one: skip here, fail in CI."""
    installed = subprocess.run(
        ["sh", HELM_FOLDER / "install-helm.sh"], capture_output=True, text=True, check=False
    )
    if installed.returncode == 0:
        return Chart(Path(installed.stdout.strip()))
    reason = f"no Helm: {installed.stderr.strip()[-500:]}"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Chart:
    """Helm and our chart."""

    helm: Path

    def render(self, values: Manifest | None = None, *, variant: Path | None = None) -> "Rendered":
        """What would be installed. Fails the test when the chart refuses."""
        done = self._run("template", RELEASE, CHART, "--namespace", "flights", values=values, variant=variant)
        assert done.returncode == 0, done.stderr
        return Rendered(done.stdout)

    def refusal(self, values: Manifest) -> str:
        """The message the chart refuses these values with."""
        done = self._run("template", RELEASE, CHART, values=values)
        assert done.returncode != 0, f"rendered, though it should refuse {values}"
        return done.stderr

    def lint(self, *, variant: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self._run("lint", "--strict", CHART, variant=variant)

    def _run(
        self, *arguments: object, values: Manifest | None = None, variant: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        files = ["--values", str(variant)] if variant else []
        return subprocess.run(
            [self.helm, *map(str, arguments), *files, "--values", "-"],
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


class Rendered:
    """Manifests by kind."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.manifests: list[Manifest] = [found for found in yaml.safe_load_all(text) if found]

    def __getitem__(self, kind: str) -> Manifest:
        (found,) = self.all(kind)
        return found

    def all(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def pods(self) -> list[Manifest]:
        """The pod template of every workload."""
        return [
            found["spec"]["template"]
            for kind in ("StatefulSet", "Deployment", "Job")
            for found in self.all(kind)
        ]

    @property
    def worker(self) -> Manifest:
        """The pod spec of the workers."""
        spec: Manifest = self["StatefulSet"]["spec"]["template"]["spec"]
        return spec


def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    found: Manifest = only
    return found


def environment(pod: Manifest) -> dict[str, Any]:
    """Variable → its text, or where it comes from. Names may not repeat."""
    variables = container(pod)["env"]
    found = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in variables}
    assert len(found) == len(variables), "a variable is set twice"
    return found
