"""The workers keep their identity and their state, and are stopped and asked the right way."""

from pathlib import Path

import pytest

from tests.helm.chart import VARIANTS, Chart, container, environment


def test_three_replicas_that_start_together(chart: Chart) -> None:
    spec = chart.render()["StatefulSet"]["spec"]
    assert spec["replicas"] == 3
    assert spec["podManagementPolicy"] == "Parallel"
    assert container(spec["template"]["spec"])["args"] == ["worker"]


def test_the_pod_name_is_the_group_instance_id(chart: Chart) -> None:
    variables = environment(chart.render().worker)
    assert variables["HEADRACE_INSTANCE_ID"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_dynamic_membership_by_value(chart: Chart) -> None:
    rendered = chart.render({"worker": {"staticMembership": False}})
    assert "HEADRACE_INSTANCE_ID" not in environment(rendered.worker)


def test_state_lies_on_a_volume_of_the_pod(chart: Chart) -> None:
    rendered = chart.render({"worker": {"persistence": {"size": "5Gi", "storageClass": "fast"}}})
    (claim,) = rendered["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "5Gi"}},
    }
    mounts = {mount["name"]: mount["mountPath"] for mount in container(rendered.worker)["volumeMounts"]}
    state_dir = environment(rendered.worker)["HEADRACE_STATE_DIR"]
    assert state_dir.startswith(mounts[claim["metadata"]["name"]])


def test_volumes_outlive_pods_unless_told_otherwise(chart: Chart) -> None:
    spec = chart.render()["StatefulSet"]["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_without_persistence_the_state_is_temporary(chart: Chart) -> None:
    rendered = chart.render({"worker": {"persistence": {"enabled": False}}})
    assert "volumeClaimTemplates" not in rendered["StatefulSet"]["spec"]
    volumes = {volume["name"]: volume for volume in rendered.worker["volumes"]}
    assert volumes["state"]["emptyDir"] == {"sizeLimit": "2Gi"}


def test_probes_ask_the_health_port(chart: Chart) -> None:
    worker = container(chart.render({"worker": {"port": 9000}}).worker)
    paths = {name: worker[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": {"path": "/health/live", "port": "http"},
        "liveness": {"path": "/health/live", "port": "http"},
        "readiness": {"path": "/health/ready", "port": "http"},
    }
    assert worker["ports"] == [{"name": "http", "containerPort": 9000}]
    assert {"name": "HEADRACE_PORT", "value": "9000"} in worker["env"]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda path: path.stem)
def test_the_grace_period_outlasts_the_drain(chart: Chart, variant: Path) -> None:
    worker = chart.render(variant=variant).worker
    assert worker["terminationGracePeriodSeconds"] > float(environment(worker)["HEADRACE_DRAIN_SECONDS"])


def test_requests_are_modest_and_nothing_throttles(chart: Chart) -> None:
    resources = container(chart.render().worker)["resources"]
    assert resources["requests"] == {"cpu": "250m", "memory": "256Mi"}
    assert "cpu" not in resources["limits"]


def test_whole_numbers_stay_whole(chart: Chart) -> None:
    variables = environment(chart.render({"worker": {"maxJobs": 10_000_000}}).worker)
    assert variables["HEADRACE_MAX_JOBS"] == "10000000"


def test_pods_spread_and_leave_one_by_one(chart: Chart) -> None:
    rendered = chart.render()
    (spread,) = rendered.worker["topologySpreadConstraints"]
    labels = rendered["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    budget = rendered["PodDisruptionBudget"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_the_headless_service_finds_the_pods(chart: Chart) -> None:
    rendered = chart.render()
    service = rendered["Service"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert rendered["StatefulSet"]["spec"]["serviceName"] == service["metadata"]["name"]
    labels = rendered["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
