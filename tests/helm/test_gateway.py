"""The gateway beside the workers: with keys, or not at all."""

import pytest

from events.gateway.settings import GatewaySettings
from tests.helm.chart import VARIANTS, Chart, container, environment

(WITH_GATEWAY,) = (path for path in VARIANTS if path.stem == "gateway-values")
KNOWN = {f"HEADRACE_{name.upper()}" for name in GatewaySettings.model_fields}
OF_OTHERS = {
    "HEADRACE_TASK_MODULES",
    "HEADRACE_DEFAULT_PARTITIONS",
    "HEADRACE_JOBS_PARTITIONS",
    "HEADRACE_REPLICATION_FACTOR",
}


def test_there_is_none_unless_asked_for(chart: Chart) -> None:
    assert chart.render().all("Deployment") == []


def test_without_keys_it_is_refused(chart: Chart) -> None:
    assert "gateway.apiKeys.existingSecret" in chart.refusal({"gateway": {"enabled": True}})


def test_every_variable_is_a_setting(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = chart.render(variant=WITH_GATEWAY)["Deployment"]["spec"]["template"]["spec"]
    variables = environment(pod)
    assert {name for name in variables if name.startswith("HEADRACE_")} - OF_OTHERS <= KNOWN
    for name, value in variables.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "given")
    settings = GatewaySettings()
    assert settings.gateway_host == "0.0.0.0"
    assert settings.has_keys


def test_the_keys_are_where_it_looks_for_them(chart: Chart) -> None:
    pod = chart.render(variant=WITH_GATEWAY)["Deployment"]["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(pod)["volumeMounts"]}
    variables = environment(pod)
    assert variables["HEADRACE_GATEWAY_API_KEYS_FILE"] == f"{mounts['keys']}/keys"
    assert variables["HEADRACE_GATEWAY_STATE_DIR"].startswith(mounts["state"])
    assert {"name": "keys", "secret": {"secretName": "gateway-keys", "defaultMode": 0o440}} in pod["volumes"]


def test_its_service_finds_it(chart: Chart) -> None:
    rendered = chart.render(variant=WITH_GATEWAY)
    (service,) = (one for one in rendered.all("Service") if one["metadata"]["name"].endswith("-gateway"))
    labels = rendered["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert container(rendered["Deployment"]["spec"]["template"]["spec"])["args"] == ["gateway"]
