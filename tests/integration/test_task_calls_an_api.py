"""A call is tried again when the server says so, under one key, and a no becomes a dead letter."""

from pathlib import Path

from tests.integration.task_worker import dead_letter, enqueue, task_worker
from tests.servers import web_server
from tests.waiting import until


async def test_retry_after_and_refusals(broker: str, app_id: str, tmp_path: Path) -> None:
    with web_server() as website:
        async with task_worker(broker, app_id, tmp_path):
            website.answers = [
                (503, {"Retry-After": "1"}, b""),
                (429, {"Retry-After": "1"}, b""),
                (200, {}, b""),
            ]
            await enqueue(broker, app_id, "call_api", "call-1", method="POST", url=website.url, json={"a": 1})
            await until(lambda: len(website.requests) == 3, within_seconds=60)
            website.answers = [(404, {}, b"")]
            await enqueue(broker, app_id, "call_api", "call-2", method="GET", url=website.url + "/absent")
            letter = await dead_letter(broker, app_id, "call-2")
            await enqueue(broker, app_id, "call_api", "call-3", method="STEAL", url=website.url)
            invalid = await dead_letter(broker, app_id, "call-3")
    keys = [request.headers["idempotency-key"] for request in website.requests]
    assert keys == ["call-1", "call-1", "call-1", "call-2"]
    assert letter["headrace-reason"] == "failed"
    assert "answered 404" in letter["headrace-exception-message"]
    assert invalid["headrace-reason"] == "invalid"
