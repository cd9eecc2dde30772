"""`headrace gateway` as a process: keys, bulk as lines, metrics, log lines, and a good stop."""

import asyncio
import hashlib
import os
from pathlib import Path

import httpx2
import orjson

from tests.integration.conftest import MakeTopic
from tests.integration.gateways import GatewayProcess, announced_topics, requests_of
from tests.integration.task_worker import HEADRACE

KEYS = {"reader": "read", "service": "submit"}


async def test_it_serves_and_stops(broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path) -> None:
    await announced_topics(make_topic, broker, app_id)
    (tmp_path / "keys").write_text(
        "# who may do what\n"
        + "".join(
            f"{id}:{scope}:{hashlib.sha256(_key(id).encode()).hexdigest()}\n" for id, scope in KEYS.items()
        )
    )
    settings = {"HEADRACE_GATEWAY_API_KEYS_FILE": str(tmp_path / "keys")}
    process = GatewayProcess(broker, app_id, tmp_path, settings)
    try:
        await process.start()
        async with httpx2.AsyncClient(base_url=process.url) as client:
            lines = b'{"task":"send_email","args":{"to":"a"}}\n' * 1_500 + b"{broken\n"
            given = {**_bearer("service"), "content-type": "application/x-ndjson"}
            bulk = (await client.post("/jobs/bulk", content=lines, headers=given, timeout=60)).json()
            nobody = await client.post("/jobs", json={"task": "send_email"})
            wrong = await client.post("/jobs", json={}, headers={"authorization": "Bearer nonsense-secret"})
            reader = await client.post("/jobs", json={}, headers=_bearer("reader"))
            metrics = (await client.get("/metrics")).text
            page = await client.get("/problems/too-deep", headers={"accept": "text/html"})
    finally:
        code = await process.stop()
    assert (bulk["accepted"], bulk["refused"]) == (1_500, 1)
    assert bulk["results"][-1]["problem"]["type"] == "/problems/not-json"
    assert len(await requests_of(broker, app_id)) == 1_500
    assert (nobody.status_code, wrong.status_code, reader.status_code) == (401, 401, 403)
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert 'headrace_gateway_jobs_total{outcome="accepted",task="send_email"} 1500.0' in metrics
    assert "content-security-policy" in page.headers
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "<h1>Too many jobs wait already</h1>" in page.text
    assert code == 0
    log = process.log()
    asked = [orjson.loads(line) for line in log.splitlines() if '"event":"request"' in line]
    assert {(line["path"], line["status"], line["caller"]) for line in asked} >= {
        ("/jobs/bulk", 200, "service"),
        ("/jobs", 401, None),
        ("/jobs", 403, "reader"),
    }
    assert "nonsense-secret" not in log
    assert _key("service") not in log


async def test_a_stop_answers_whoever_waits(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    await announced_topics(make_topic, broker, app_id)
    settings = {"HEADRACE_GATEWAY_DRAIN_SECONDS": "600"}  # whoever does not end by itself holds it up
    process = GatewayProcess(broker, app_id, tmp_path, settings)
    try:
        await process.start()
        async with httpx2.AsyncClient(base_url=process.url, timeout=120) as client:
            options = {"job_id": "later", "defer_by": 3600}
            body = {"task": "send_email", "args": {"to": "a"}, "options": options}
            assert (await client.post("/jobs", json=body)).status_code == 202
            polling = asyncio.create_task(client.get("/jobs/later", params={"wait": "300s"}))
            async with client.stream("GET", "/jobs/later/events") as stream:
                assert stream.status_code == 200, await stream.aread()
                lines = stream.aiter_lines()
                while not (await anext(lines)).startswith("data:"):
                    pass
                stopping = asyncio.create_task(process.stop())
                async for _ in lines:
                    pass
            answer = await polling
            assert (answer.status_code, answer.json()["state"]) == (200, "scheduled")
            assert await stopping == 0
    finally:
        await process.stop()


async def test_without_keys_it_refuses_other_hosts() -> None:
    environment = {**os.environ, "HEADRACE_GATEWAY_HOST": "0.0.0.0"}
    process = await asyncio.create_subprocess_exec(
        *HEADRACE, "gateway", env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"headrace gateway keys new" in said


def _key(id: str) -> str:
    return f"headrace_key-of-{id}"


def _bearer(id: str) -> dict[str, str]:
    return {"authorization": f"Bearer {_key(id)}"}
