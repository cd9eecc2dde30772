"""What has ended is told from the disk; what may have changed is not while Kafka is away, unless wanted."""

import asyncio
from pathlib import Path

from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from tests.integration.conftest import OwnBroker
from tests.integration.observing import observed_worker
from tests.integration.test_status_over_http import gateway
from tests.waiting import until


async def test_reads_while_kafka_is_away(own_broker: OwnBroker, tmp_path: Path) -> None:
    local = await asyncio.to_thread(own_broker)
    servers, app_id = local.bootstrap_servers, "away"
    worker = observed_worker(servers, app_id, tmp_path, "flickering")
    client = ClientSettings(bootstrap_servers=servers, app_id=app_id)
    async with gateway(servers, app_id, tmp_path / "status", status_ready_lag_seconds=3) as http:
        try:
            await worker.start()
            async with JobQueue(client) as queue:
                await queue.request("flicker", {"how": "quick"}, EnqueueOptions(job_id="done"))
                await queue.request(
                    "flicker", {"how": "quick"}, EnqueueOptions(job_id="later", defer_by=3600)
                )
            assert (await http.get("/jobs/done?wait=60s")).json()["state"] == "completed"
            await until(lambda: _says(http, "/jobs/later", "scheduled"))
        finally:
            await worker.stop()
        local.freeze()
        try:
            assert await _says(http, "/jobs/done", "completed")
            answer = await http.get("/jobs/later")
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/kafka-unavailable")
            assert answer.headers["retry-after"]
            assert await _says(http, "/jobs/later?stale=true", "scheduled")
            await until(lambda: _is(http, "/health/ready", 503), saying="it knows that it may be behind")
        finally:
            local.thaw()
        await until(lambda: _says(http, "/jobs/later", "scheduled"), within_seconds=60)
        await until(lambda: _is(http, "/health/ready", 200), within_seconds=60)


async def _says(http: object, path: str, state: str) -> bool:
    answer = await http.get(path)  # type: ignore[attr-defined]
    return answer.status_code == 200 and bool(answer.json()["state"] == state)


async def _is(http: object, path: str, status: int) -> bool:
    return bool((await http.get(path)).status_code == status)  # type: ignore[attr-defined]
