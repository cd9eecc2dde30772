"""A FastAPI application enqueues jobs through its dependency, waits for results, and lets go at its end."""

from pathlib import Path

import httpx2
import pytest

from tests.integration.asking import asking
from tests.integration.fastapi_app import app
from tests.integration.observing import notes
from tests.waiting import until


async def test_an_application_hands_work_to_its_workers(
    broker: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", broker)
    monkeypatch.setenv("HEADRACE_APP_ID", app_id)
    async with asking(broker, app_id, tmp_path), app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            started = await client.post("/echoes", params={"value": "a"})
            assert started.status_code == 202
            waited = await client.get("/echoes/b", timeout=30)
            assert (waited.status_code, waited.json()) == (200, "b")
            ids = await until(lambda: {note.job_id for note in notes(tmp_path)})
            assert started.json()["job_id"] in ids


async def test_a_route_without_a_queue_says_what_is_missing() -> None:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        with pytest.raises(RuntimeError, match="lifespan"):
            await client.post("/echoes", params={"value": "a"})
