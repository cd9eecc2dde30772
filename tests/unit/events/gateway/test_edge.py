"""The outermost layer, around endpoints of our own."""

from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from structlog.testing import capture_logs

from events.gateway.edge import Edge, LineBudget, Quick
from events.gateway.metrics import GatewayMetrics
from events.gateway.problems import problem


async def _application(scope: Any, receive: Any, send: Any) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def _quick(request: Request) -> Response:
    body = await request.body()
    if body == b"problem":
        raise problem("not-found", "nothing")
    if body == b"fault":
        raise RuntimeError("our secret inside")
    return PlainTextResponse("quick")


@pytest.fixture
def edge() -> Edge:
    quick = [Quick("POST", "/quick", _quick, "/quick"), Quick("GET", "/one/", _quick, "/one/{id}")]
    return Edge(_application, max_body_bytes=10, metrics=GatewayMetrics(), quick=quick)


def _client(edge: Edge) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=edge, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


async def test_security_headers_are_on_every_answer(edge: Edge) -> None:
    async with _client(edge) as client:
        for path in ("/quick", "/other"):
            headers = (await client.post(path, content=b"x")).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cache-control"] == "no-store"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert len(headers["x-request-id"]) == 16


@pytest.mark.parametrize("path", ["/quick"])
async def test_bodies_are_bounded_announced_or_not(edge: Edge, path: str) -> None:
    async def streamed() -> Any:
        for _ in range(3):
            yield b"12345"

    async with _client(edge) as client:
        announced = await client.post(path, content=b"12345678901")
        unannounced = await client.post(path, content=streamed())
        fits = await client.post(path, content=b"1234567890")
    assert [each.status_code for each in (announced, unannounced, fits)] == [413, 413, 200]
    assert announced.json()["limit_bytes"] == 10


async def test_problems_and_faults_of_quick_endpoints_are_answered(edge: Edge) -> None:
    async with _client(edge) as client:
        with capture_logs() as lines:
            wrong = await client.post("/quick", content=b"problem")
            fault = await client.post("/quick", content=b"fault")
    assert (wrong.status_code, wrong.json()["type"]) == (404, "/problems/not-found")
    assert (fault.status_code, fault.json()["type"]) == (500, "/problems/internal")
    assert "secret" not in fault.text
    assert any(line["event"] == "request_failed" for line in lines)
    assert [line["status"] for line in lines if line["event"] == "request"] == [404, 500]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/one/7", "/one/{id}"),
        ("/one/a%20b", "/one/{id}"),
        ("/one/7?stale=true", "none"),
        ("/one/", "none"),
        ("/one/7/tree", "none"),
        ("/one", "none"),
    ],
)
async def test_one_below_is_quick_without_a_query(edge: Edge, path: str, route: str) -> None:
    async with _client(edge) as client:
        with capture_logs() as lines:
            answer = await client.get(path)
    assert answer.text == ("0" if route == "none" else "quick")
    assert [line["route"] for line in lines if line["event"] == "request"] == [route]


def test_lines_beyond_the_budget_are_counted() -> None:
    now = [0.0]
    budget = LineBudget(2, lambda: now[0])
    assert [budget.allows() for _ in range(5)] == [True, True, False, False, False]
    now[0] = 1.0
    with capture_logs() as lines:
        assert budget.allows()
    assert lines == [{"event": "requests_not_logged", "count": 3, "log_level": "info"}]
