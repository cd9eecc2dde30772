"""SIGTERM while Kafka does not answer: the worker ends all the same, within a bound, and loses nothing."""

from pathlib import Path

import pytest

from events.broker import LocalBroker
from tests.integration.conftest import OwnBroker
from tests.integration.probing import probe
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    told_to_stop,
    until_finished,
    until_started,
)
from tests.waiting import until


@pytest.mark.parametrize("away", ["frozen", "gone"])
async def test_the_worker_ends_within_a_bound(
    own_broker: OwnBroker, app_id: str, tmp_path: Path, away: str
) -> None:
    broker: LocalBroker = own_broker()
    servers = broker.bootstrap_servers
    gate = tmp_path / "gate"
    events = asks(10, gate=str(gate))
    worker = steered(servers, app_id, tmp_path, "a", drain_seconds=1)
    async with running(worker):
        await publish_spread(servers, app_id, events)
        await until_started(tmp_path, events)
        broker.freeze() if away == "frozen" else broker.kill()
        gate.touch()
        await told_to_stop(worker, within_seconds=30)
    broker.thaw() if away == "frozen" else broker.start()
    async with running(steered(servers, app_id, tmp_path, "b")):
        await until_finished(servers, app_id, events)
    assert max(starts(tmp_path).values()) <= 2


@pytest.mark.parametrize("away", ["frozen", "gone"])
async def test_a_worker_without_work_ends_in_good_order(
    own_broker: OwnBroker, app_id: str, tmp_path: Path, away: str
) -> None:
    broker: LocalBroker = own_broker()
    worker = steered(broker.bootstrap_servers, app_id, tmp_path, "a")

    async def unready() -> bool:
        return (await probe(worker, "/health/ready"))[0] == 503

    async with running(worker):
        broker.freeze() if away == "frozen" else broker.kill()
        await until(unready, within_seconds=30, saying="the worker misses Kafka")
        assert await told_to_stop(worker) == 0
    broker.thaw() if away == "frozen" else broker.start()
