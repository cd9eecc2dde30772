"""What a worker says of itself."""

from typing import Any

import orjson

from consumers.announcing.heartbeat import STOPPED, Heartbeat
from consumers.settings import WorkerSettings


async def test_a_beat_and_the_last_one() -> None:
    sent: list[tuple[str, bytes, Any]] = []

    async def send(topic: str, key: bytes, value: bytes, headers: list[Any]) -> None:
        sent.append((topic, key, orjson.loads(value)))

    heartbeat = Heartbeat(
        settings=WorkerSettings(app_id="A", worker_name="w", release="7"),
        tasks=["b", "a"],
        send=send,
        state=lambda: "ready",
        owned=lambda: [("jobs", 1), ("doors", 0), ("jobs", 0)],
        running=lambda: 3,
    )
    await heartbeat.beat("ready")
    await heartbeat.beat(STOPPED)
    (topic, key, beat), (_, _, last) = sent
    assert (topic, key) == ("A.workers", b"w")
    assert (beat["worker"], beat["release"], beat["tasks"], beat["running"]) == ("w", "7", ["a", "b"], 3)
    assert beat["partitions"] == {"jobs": [0, 1], "doors": [0]}
    assert beat["started_ms"] <= beat["at_ms"]
    assert (last["state"], last["partitions"]) == ("stopped", {})
