import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import stamina

from consumers import Context, Fail, Retry
from consumers.tasks.equipment import equipment_of
from consumers.tasks.exchange import CONNECTION_TRIES, KEPT_CHARACTERS, READ_BYTES
from consumers.tasks.web import call_api
from tests.servers import Website, free_port, web_server
from tests.unit.consumers.tasks.equipped import equipped


@pytest.fixture
def website() -> Iterator[Website]:
    with web_server() as site:
        yield site


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=CONNECTION_TRIES, cap=True):
        yield


@pytest.fixture
async def ctx(tmp_path: Path) -> AsyncIterator[Context]:
    context = equipped(tmp_path, settings={"http_timeout_seconds": 5}, job_id="job-1")
    yield context
    await equipment_of(context).http.aclose()


async def test_the_answer_is_the_result(website: Website, ctx: Context) -> None:
    website.answers = [(201, {"Content-Type": "application/json; charset=utf-8"}, b'{"id": 7}')]
    result = await call_api(
        ctx, method="PUT", url=f"{website.url}/x?y=1", json={"a": 1}, headers={"X-Desk": "3"}
    )
    assert result == {"status": 201, "body": {"id": 7}}
    [request] = website.requests
    assert (request.method, request.path, json.loads(request.body)) == ("PUT", "/x?y=1", {"a": 1})
    assert request.headers["idempotency-key"] == "job-1"
    assert request.headers["x-desk"] == "3"


async def test_an_answer_that_is_no_json_is_kept_as_text(website: Website, ctx: Context) -> None:
    website.answers = [(200, {"Content-Type": "application/json"}, b"{no json" + b"x" * 2 * KEPT_CHARACTERS)]
    result = await call_api(ctx, method="GET", url=website.url)
    assert result["body"].startswith("{no json")
    assert len(result["body"]) == KEPT_CHARACTERS, READ_BYTES


async def test_an_answer_without_end_is_cut_off(website: Website, ctx: Context) -> None:
    website.answers = [(200, {"Content-Type": "application/json"}, b'"' + b"x" * 50 * READ_BYTES + b'"')]
    result = await call_api(ctx, method="GET", url=website.url)
    assert result["body"] == '"' + "x" * (KEPT_CHARACTERS - 1)


async def test_every_attempt_carries_the_key_of_its_job(website: Website, ctx: Context) -> None:
    website.answers = [(503, {"Retry-After": "7"}, b""), (500, {}, b""), (200, {}, b"ok")]
    for defer in (7, None):
        with pytest.raises(Retry) as retry:
            await call_api(ctx, method="POST", url=website.url)
        assert retry.value.defer == defer
    assert (await call_api(ctx, method="POST", url=website.url))["body"] == "ok"
    assert [request.headers["idempotency-key"] for request in website.requests] == ["job-1"] * 3


async def test_the_key_cannot_be_overwritten(website: Website, ctx: Context) -> None:
    await call_api(ctx, method="POST", url=website.url, headers={"idempotency-key": "mine"})
    assert website.requests[0].headers["idempotency-key"] == "job-1"


async def test_a_lost_connection_is_tried_again_at_once(website: Website, ctx: Context) -> None:
    website.answers = [None, None, (200, {}, b"ok")]
    assert (await call_api(ctx, method="POST", url=website.url))["status"] == 200
    assert len(website.requests) == CONNECTION_TRIES


async def test_a_connection_lost_each_time_is_left_to_the_retry_policy(
    website: Website, ctx: Context
) -> None:
    website.answers = [None]
    with pytest.raises(httpx2.RemoteProtocolError):
        await call_api(ctx, method="POST", url=website.url)
    assert len(website.requests) == CONNECTION_TRIES


async def test_no_server_is_left_to_the_retry_policy(ctx: Context) -> None:
    with pytest.raises(httpx2.ConnectError):
        await call_api(ctx, method="GET", url=f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "no url", "http://[::g]", "file:///etc/passwd", "http://a:port"]
)
async def test_what_is_no_url_fails(ctx: Context, url: str) -> None:
    with pytest.raises(Fail):
        await call_api(ctx, method="GET", url=url)


async def test_a_client_error_and_a_redirect_fail(website: Website, ctx: Context) -> None:
    for status in (302, 404, 409):
        website.answers = [(status, {"Location": "http://elsewhere"}, b"")]
        with pytest.raises(Fail, match=str(status)):
            await call_api(ctx, method="GET", url=website.url)
