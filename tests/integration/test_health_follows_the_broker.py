"""Kafka is away, freezes and thaws: readiness says so each time, the process lives through all of it."""

from pathlib import Path

from events.broker import LocalBroker
from tests.integration.conftest import OwnBroker
from tests.integration.probing import failing, probe, probed_worker
from tests.servers import free_port
from tests.waiting import until


async def test_a_frozen_broker_makes_the_worker_unready_not_dead(
    own_broker: OwnBroker, app_id: str, tmp_path: Path
) -> None:
    broker: LocalBroker = own_broker()
    worker = probed_worker(broker.bootstrap_servers, app_id, tmp_path, "probe")

    async def unready() -> bool:
        return "kafka" in await failing(worker)

    try:
        await worker.start()
        assert worker.process is not None
        process = worker.process.pid
        broker.freeze()
        await until(unready, within_seconds=60, saying="not ready while the broker is frozen")
        assert (await probe(worker, "/health/live"))[0] == 200
        assert (await probe(worker, "/metrics"))[0] == 200
        broker.thaw()
        await until(worker.ready, within_seconds=90, saying="ready again without a restart")
        assert worker.process.pid == process
    finally:
        broker.thaw()
        await worker.stop()


async def test_a_worker_without_kafka_lives_and_is_not_ready(app_id: str, tmp_path: Path) -> None:
    worker = probed_worker(f"127.0.0.1:{free_port()}", app_id, tmp_path, "probe")

    async def answers() -> bool:
        return (await probe(worker, "/health/live"))[0] == 200

    try:
        await worker.launch()
        await until(answers, within_seconds=60)
        assert {"state", "group", "kafka"} <= await failing(worker)
        assert (await probe(worker, "/metrics"))[0] == 200
    finally:
        await worker.stop()
    assert worker.process is not None
    assert worker.process.returncode == 0
