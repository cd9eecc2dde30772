import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.errors import PortUnavailable
from consumers.telemetry.health import Health, WorkerState
from consumers.telemetry.server import HealthServer
from consumers.telemetry.telemetry import Telemetry
from tests.unit.consumers.telemetry.jobs import job


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(telemetry: Telemetry, health: Health) -> Iterator[HealthServer]:
    server = HealthServer(host="127.0.0.1", port=0, registry=telemetry.registry, health=health)
    server.start()
    yield server
    server.stop()


def get(server: HealthServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def test_probes_answer_with_their_checks(server: HealthServer, health: Health) -> None:
    status, body, _ = get(server, "/health/ready")
    assert status == 503
    assert json.loads(body)["checks"]["state"] == {"ok": False, "detail": "starting"}
    health.state = WorkerState.READY
    health.assigned(1)
    health.kafka(True)
    status, body, headers = get(server, "/health/ready")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert headers["Content-Type"] == "application/json"
    assert get(server, "/health/live")[0] == 200


def test_metrics_are_served_as_text(server: HealthServer, telemetry: Telemetry) -> None:
    telemetry.started(job())
    telemetry.flush()
    status, body, headers = get(server, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert 'headrace_jobs_started_total{task="notify"} 1.0' in body


def test_openmetrics_with_exemplars_for_who_asks(server: HealthServer, telemetry: Telemetry) -> None:
    telemetry.started(job(traced=True))
    telemetry.flush()
    _, body, headers = get(server, "/metrics", Accept="application/openmetrics-text")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert '# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}' in body
    assert body.endswith("# EOF\n")


def test_anything_else_is_refused(server: HealthServer) -> None:
    status, body, _ = get(server, "/jobs")
    assert status == 404
    assert "/metrics" in json.loads(body)["paths"]
    assert get(server, "/metrics", method="POST")[0] == 405


def test_a_client_that_hangs_up_disturbs_nobody(
    server: HealthServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as rude:
        rude.sendall(b"GET /metr")
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert get(server, "/health/live")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_taken_port_is_named(server: HealthServer, telemetry: Telemetry, health: Health) -> None:
    second = HealthServer(host="127.0.0.1", port=server.port, registry=telemetry.registry, health=health)
    with pytest.raises(PortUnavailable, match=f"127.0.0.1:{server.port} cannot be opened.*HEADRACE_PORT"):
        second.start()


def test_stopping_twice_and_starting_again(server: HealthServer) -> None:
    server.stop()
    server.stop()
    server.start()
    assert get(server, "/health/live")[0] == 200
