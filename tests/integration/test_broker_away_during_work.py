"""Kafka freezes, and later dies, while jobs run: the worker says not ready, waits, and goes on by itself."""

import asyncio
import time
from pathlib import Path

from events.broker import LocalBroker
from tests.integration.conftest import OwnBroker
from tests.integration.probing import failing, probe
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    until_finished,
    until_started,
)
from tests.waiting import until

AWAY_SECONDS = 20


async def test_work_goes_on_without_a_restart(own_broker: OwnBroker, app_id: str, tmp_path: Path) -> None:
    broker: LocalBroker = own_broker()
    servers = broker.bootstrap_servers
    worker = steered(servers, app_id, tmp_path, default_partitions=2)
    async with running(worker):
        assert worker.process is not None
        pid = worker.process.pid
        everything = []
        for name, away, back in (("frozen", broker.freeze, broker.thaw), ("gone", broker.kill, broker.start)):
            gate = tmp_path / name
            waiting = asks(20, name=f"{name}-waiting-", gate=str(gate))
            parked = asks(10, name=f"{name}-parked-", failures=1, defer=3)
            await publish_spread(servers, app_id, [*waiting, *parked], partitions=2)
            await until_started(tmp_path, [*waiting, *parked])
            until_seconds = time.monotonic() + AWAY_SECONDS
            await asyncio.to_thread(away)
            gate.touch()

            async def unready() -> bool:
                return "kafka" in await failing(worker)

            await until(unready, within_seconds=60, saying=f"not ready while Kafka is {name}")
            await until(lambda t=until_seconds: time.monotonic() > t, within_seconds=60)
            assert (await probe(worker, "/health/live"))[0] == 200
            await asyncio.to_thread(back)
            await until(worker.ready, within_seconds=90, saying=f"ready after Kafka was {name}")
            after = asks(10, name=f"{name}-after-")
            await publish_spread(servers, app_id, after, partitions=2)
            await until_finished(servers, app_id, [*waiting, *parked, *after])
            everything += [*waiting, *parked, *after]
        assert worker.process.pid == pid
    assert worker.process.returncode == 0
    counted = starts(tmp_path)
    for event in everything:
        # Kafka may have given the partitions away meanwhile: what was not durable by then runs again.
        runs = 2 if "parked" in event.id else 1
        assert runs <= counted[event.id] <= (runs if "after" in event.id else runs + 1), event.id
