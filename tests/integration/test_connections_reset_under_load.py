"""Connections to Kafka are reset at random while thousands of jobs run: all finish, in the same process."""

import asyncio
from pathlib import Path

from tests.integration.conftest import OwnBroker
from tests.integration.observing import event, topic_of
from tests.integration.steering import ledger_of, publish_spread, running, starts, steered
from tests.integration.tcp_proxy import tcp_proxy
from tests.servers import free_port
from tests.waiting import until

WAVES, EACH = 12, 150


async def test_resets_lose_and_repeat_nothing(own_broker: OwnBroker, app_id: str, tmp_path: Path) -> None:
    with tcp_proxy(free_port()) as proxy:
        port = free_port()
        proxy.target = port
        advertised = f"PLAINTEXT://127.0.0.1:{proxy.port}"
        broker = await asyncio.to_thread(
            own_broker, port=port, overrides={"advertised.listeners": advertised}
        )
        servers = f"127.0.0.1:{proxy.port}"
        worker = steered(servers, app_id, tmp_path, default_partitions=3)
        async with running(worker):
            assert worker.process is not None
            pid = worker.process.pid
            events = []
            for wave in range(WAVES):
                batch = [
                    event(
                        "steer.loose",
                        f"w{wave}-{number}",
                        failures=number % 5 == 0,
                        publish=[[topic_of(app_id), f"made-{wave}-{number}", 10]] if number % 3 == 0 else [],
                    )
                    for number in range(EACH)
                ]
                await publish_spread(servers, app_id, batch, partitions=3)
                events += batch
                for _ in range(3):
                    proxy.reset_one()
                    before = len(starts(tmp_path))
                    await until(lambda b=before, e=events: len(starts(tmp_path)) > b or _all(tmp_path, e))

            async def all_finished() -> bool:
                for _ in range(2):
                    proxy.reset_one()
                await asyncio.sleep(0.5)
                return len(await ledger_of(broker.bootstrap_servers, app_id)) == len(events)

            await until(all_finished, within_seconds=90, saying="all jobs are finished")
            assert worker.process.pid == pid
            assert worker.process.returncode is None
            assert await until(worker.ready, within_seconds=60)
        assert worker.process.returncode == 0
        assert proxy.resets >= WAVES
        written = await ledger_of(broker.bootstrap_servers, app_id)
    for records in written.values():
        # The very same record may be there twice: its acknowledgement was what got lost.
        assert all(record == records[0] for record in records)
    counted = starts(tmp_path)
    assert {id: counted[id] for id in (each.id for each in events)} == {
        each.id: 1 + each.data["failures"] for each in events
    }


def _all(folder: Path, events: list[object]) -> bool:
    return len(starts(folder)) == len(events)
