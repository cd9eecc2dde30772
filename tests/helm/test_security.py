"""Every pod of every variant meets the restricted Pod Security Standard and can do nothing it need not."""

from pathlib import Path

import pytest

from tests.helm.chart import VARIANTS, Chart, container

VOLUMES_ALLOWED = {
    "configMap",
    "emptyDir",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "csi",
    "ephemeral",
}


@pytest.mark.parametrize("variant", [None, *VARIANTS], ids=lambda path: path.stem if path else "defaults")
def test_pods_are_restricted(chart: Chart, variant: Path | None) -> None:
    for template in chart.render(variant=variant).pods():
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container(pod)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in {mount["mountPath"] for mount in container(pod)["volumeMounts"]}
        assert {key for volume in pod["volumes"] for key in volume if key != "name"} <= VOLUMES_ALLOWED
        assert pod["automountServiceAccountToken"] is False


def test_a_service_called_headrace_sets_no_variables(chart: Chart) -> None:
    assert all(template["spec"]["enableServiceLinks"] is False for template in chart.render().pods())


def test_passwords_come_from_the_secret_only(chart: Chart) -> None:
    (variant,) = (path for path in VARIANTS if path.stem == "sasl-values")
    for template in chart.render(variant=variant).pods():
        variables = {entry["name"]: entry for entry in container(template["spec"])["env"]}
        assert variables["HEADRACE_SASL_PASSWORD"]["valueFrom"] == {
            "secretKeyRef": {"name": "kafka-login", "key": "password"}
        }
        assert variables["HEADRACE_SSL_CAFILE"]["value"] == "/etc/headrace/tls/ca.crt"
        tls = next(volume for volume in template["spec"]["volumes"] if volume["name"] == "tls")
        assert tls["secret"]["secretName"] == "kafka-tls"


def test_a_platform_may_choose_the_user(chart: Chart) -> None:
    rendered = chart.render({"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}})
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & rendered.worker["securityContext"].keys()
