"""A handler blocks the event loop: probes and scrapes are answered all the same."""

from pathlib import Path

from tests.integration.conftest import MakeTopic
from tests.integration.probing import happened, probe, probed_worker, send
from tests.waiting import until


async def test_probes_answer_while_user_code_blocks(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, gate = await make_topic("probe"), tmp_path / "gate"
    worker = probed_worker(broker, app_id, tmp_path, topic)
    try:
        await worker.start()
        await send(broker, topic, happened("1", block_until=str(gate)))
        await until((tmp_path / "gate.blocking").exists, saying="the handler blocks the loop")
        assert (await probe(worker, "/health/live"))[0] == 200
        status, report = await probe(worker, "/health/ready")
        assert status in (200, 503)
        assert set(report["checks"]) == {"state", "group", "kafka", "polling", "loop"}
        assert "headrace_jobs_started_total" in (await probe(worker, "/metrics"))[1]
        gate.touch()

        async def completed() -> bool:
            text = (await probe(worker, "/metrics"))[1]
            return 'headrace_jobs_finished_total{outcome="completed",task="observe"} 1.0' in text

        await until(completed)
    finally:
        gate.touch()
        await worker.stop()
