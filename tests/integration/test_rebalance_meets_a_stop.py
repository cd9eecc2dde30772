"""A rebalance that comes while a worker closes: it ends in good order, and each thread closes its own."""

import asyncio
from collections import Counter
from pathlib import Path

import orjson

from tests.integration.observing import observed_worker
from tests.integration.steering import running, steered
from tests.waiting import until


async def test_connections_are_closed_in_their_own_thread(broker: str, app_id: str, tmp_path: Path) -> None:
    stopping, log = tmp_path / "stopping", tmp_path / "a.log"
    first = observed_worker(
        broker, app_id, tmp_path, "met", session_timeout_seconds=6, RAW_LOG=log, STOPPING=stopping
    )
    second = steered(broker, app_id, tmp_path, "b")
    async with running(first):
        assert first.process is not None
        first.process.terminate()
        await until(stopping.exists, within_seconds=30, saying="the first one closes")
        async with running(second):
            assert await asyncio.wait_for(first.process.wait(), 60) == 0
    facts = Counter(orjson.loads(line)["what"] for line in log.read_bytes().splitlines())
    assert facts == {"met": 2}
