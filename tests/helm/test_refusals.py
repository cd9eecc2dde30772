"""Wrong values are refused before anything is installed, and the message names the key."""

from typing import Any

import pytest

from tests.helm.chart import Chart


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 5}, "'replicas'"),
        ({"worker": {"replica": 5}}, "'replica'"),
        ({"worker": {"persistence": {"enable": False}}}, "'enable'"),
        ({"worker": {"probes": {"liveness": {"path": "/"}}}}, "'path'"),
        ({"kafka": {"sasl": {"password": "secret"}}}, "'password'"),
        ({"topics": {"job": {"hooks": True}}}, "'hooks'"),
        ({"worker": {"replicas": "three"}}, "/worker/replicas"),
        ({"worker": {"sessionTimeoutSeconds": 5}}, "/worker/sessionTimeoutSeconds"),
        ({"kafka": {"bootstrapServers": "kafka"}}, "/kafka/bootstrapServers"),
        ({"kafka": {"securityProtocol": "TLS"}}, "/kafka/securityProtocol"),
        ({"appId": "flights jobs"}, "/appId"),
        ({"taskModules": ["my-tasks"]}, "/taskModules/0"),
        ({"taskModules": []}, "/taskModules"),
    ],
)
def test_the_schema_names_what_it_refuses(chart: Chart, values: dict[str, Any], named: str) -> None:
    assert named in chart.refusal(values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (
            {"worker": {"drainSeconds": 41, "terminationGracePeriodSeconds": 45}},
            "worker.terminationGracePeriodSeconds (45) must be at least worker.drainSeconds + 5 (46)",
        ),
        ({"kafka": {"securityProtocol": "SASL_SSL"}}, "needs kafka.sasl.existingSecret"),
        ({"kafka": {"tls": {"existingSecret": "tls"}}}, "choose SSL or SASL_SSL"),
        (
            {"kafka": {"securityProtocol": "SSL", "tls": {"existingSecret": "tls", "certKey": "tls.crt"}}},
            "kafka.tls.certKey and kafka.tls.keyKey go together",
        ),
        (
            {"kafka": {"securityProtocol": "SSL", "tls": {"certKey": "tls.crt", "keyKey": "tls.key"}}},
            "set kafka.tls.existingSecret",
        ),
        ({"extraEnv": [{"name": "HEADRACE_PORT", "value": "1"}]}, "extraEnv sets HEADRACE_PORT"),
    ],
)
def test_values_that_contradict_each_other(chart: Chart, values: dict[str, Any], named: str) -> None:
    assert named in chart.refusal(values)


def test_a_subchart_may_get_global_values(chart: Chart) -> None:
    assert chart.render({"global": {"anything": 1}})["StatefulSet"]
