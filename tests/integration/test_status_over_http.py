"""Everything a person or service asks of the gateway about jobs, over HTTP, on a real worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI

from events.gateway.app import create_app
from events.gateway.settings import GatewaySettings
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.status.reader import StatusReader
from events.status.settings import StatusSettings
from tests.integration.conftest import MakeTopic
from tests.integration.gateways import announced_topics
from tests.integration.observing import event, observed_worker, publish, topic_of
from tests.waiting import until

HOUR_MS = 3_600_000


@asynccontextmanager
async def gateway(broker: str, app_id: str, folder: Path, **more: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """An application in this process, as `headrace gateway` puts it together."""
    shared = {"bootstrap_servers": broker, "app_id": app_id}
    status = StatusReader(StatusSettings(**shared, status_dir=folder, **more))
    app: FastAPI = create_app(GatewaySettings(**shared), status=status)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            yield client


async def test_the_life_of_jobs_over_http(broker: str, app_id: str, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    worker = observed_worker(broker, app_id, tmp_path, "mendable", MENDED=mended)
    try:
        await worker.start()
        async with (
            gateway(broker, app_id, tmp_path / "status") as http,
            JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue,
        ):
            await until(lambda: _is_ready(http))
            await queue.request("plain", {"what": "x"}, EnqueueOptions(job_id="a/b"))
            failed = (await http.get("/jobs/a%2Fb", params={"wait": "60s"})).json()
            assert (failed["state"], failed["error"]["message"]) == ("failed", "not mended")

            later = await queue.request("plain", {"what": "x"}, EnqueueOptions(defer_by=3600))
            answer = await http.get(f"/jobs/{later.job_id}", params={"wait": "100ms"})
            assert (answer.status_code, answer.json()["state"]) == (200, "scheduled")
            assert answer.json()["due_at"] is not None

            await publish(broker, topic_of(app_id), event("mend.event", "e1"))
            await until(lambda: _events(http, "e1"), within_seconds=60)
            (found,) = await _events(http, "e1")
            seen = await asyncio.wait_for(_follow(http, found["job_id"]), 60)
            assert seen[-1]["state"] == "failed"
            assert [attempt["n"] for attempt in seen[-1]["attempts"]] == [1, 2]

            page = (await http.get("/jobs", params={"limit": 2})).json()
            rest = (await http.get("/jobs", params={"limit": 2, "cursor": page["cursor"]})).json()
            ids = [job["job_id"] for job in page["jobs"] + rest["jobs"]]
            assert sorted(ids) == sorted(["a/b", later.job_id, found["job_id"]])

            tree = (await http.get("/jobs/a%2Fb/tree")).json()
            assert (tree["root"], tree["states"]) == ("a/b", {"failed": 1})

            letters = (await http.get("/dead-letters", params={"job_id": "a/b"})).json()["letters"]
            assert [letter["reason"] for letter in letters] == ["failed"]
            letter = (await http.get(f"/dead-letters/{letters[0]['id']}")).json()
            assert orjson.loads(letter["value"]["value"])["job_id"] == "a/b"
            overview = (await http.get("/overview")).json()
            assert overview["states"] == {"failed": 2, "scheduled": 1}
            assert overview["dead_letters"] == {"jobs": 1, topic_of(app_id): 1}
            tasks = (await http.get("/tasks")).json()["tasks"]
            assert {task["task"]: task["states"] for task in tasks}["plain"] == {"failed": 1, "scheduled": 1}
            assert (await http.get("/workers")).status_code == 200
    finally:
        await worker.stop()


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/jobs/nobody", 404, "unknown-job"),
        ("/jobs/nobody/events", 404, "unknown-job"),
        ("/jobs/nobody/tree", 404, "unknown-job"),
        ("/jobs/nobody?wait=soon", 422, "invalid-request"),
        ("/jobs?since=yesterday", 422, "invalid-request"),
        ("/jobs?cursor=nonsense", 422, "invalid-request"),
        ("/jobs?state=done", 422, "invalid-request"),
        ("/dead-letters/jobs:0:7", 404, "unknown-dead-letter"),
    ],
)
async def test_what_cannot_be_told_is_a_problem(
    broker: str, app_id: str, tmp_path: Path, path: str, status: int, slug: str
) -> None:
    async with gateway(broker, app_id, tmp_path) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_a_job_is_known_before_any_worker_made_its_topics(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    """Topics that are not there hold no answer up, neither before the request is read nor after."""
    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id, tmp_path / "status") as http:
        body = {"task": "send_email", "args": {"to": "a"}, "options": {"job_id": "j", "defer_by": 3600}}
        await until(lambda: _is_ready(http))
        assert (await http.post("/jobs", json=body)).status_code == 202
        told = [await http.get("/jobs/j") for _ in range(2)]
        assert [(answer.status_code, answer.json()["state"]) for answer in told] == [(200, "scheduled")] * 2


async def test_a_gateway_that_reads_nothing_says_so(broker: str, app_id: str, tmp_path: Path) -> None:
    """It must not say that there is no such job, nor tell an old state."""
    paused = tmp_path / "paused"
    worker = observed_worker(broker, app_id, tmp_path, "mendable", MENDED=tmp_path / "mended")
    try:
        await worker.start()  # makes the topics
    finally:
        await worker.stop()
    async with gateway(
        broker, app_id, tmp_path / "status", status_pause_file=paused, status_catch_up_seconds=1
    ) as http:
        await until(lambda: _is_ready(http))
        paused.touch()
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("plain", {"what": "x"}, EnqueueOptions(job_id="j"))
        answer = await http.get("/jobs/j")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-ready")
        asked = asyncio.create_task(http.get("/jobs/j", params={"wait": "1ms"}))
        paused.unlink()
        assert (await asked).json()["state"] == "pending"


async def _is_ready(http: httpx2.AsyncClient) -> bool:
    return (await http.get("/health/ready")).status_code == 200


async def _events(http: httpx2.AsyncClient, event_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/jobs", params={"event_id": event_id})).json()["jobs"]
    return found


async def _follow(http: httpx2.AsyncClient, job_id: str) -> list[dict[str, Any]]:
    answer = await http.get(f"/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = answer.text.splitlines()
    assert lines[0].startswith("retry: ")
    return [orjson.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
