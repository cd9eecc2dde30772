"""Two gateways never contradict each other: not while one stands still, nor when gateways, workers and
those who read for gateways die."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from events.broker import LocalBroker
from tests.acceptance.histories import Told, contradictions
from tests.integration.gateways import GatewayProcess
from tests.integration.observing import observed_worker
from tests.waiting import until

APP = "histories"
CLIENTS = 4
SECONDS = 32.0
HOWS = ("quick", "quick", "retry", "slow", "fail", "later")
PAUSE_SECONDS = 5.0


class Client:
    """Asks for jobs at one gateway or the other, and looks at each, wherever, until it has finished."""

    def __init__(self, gateways: dict[str, GatewayProcess], seed: int, until: float) -> None:
        self._gateways = gateways
        self._chance = random.Random(seed)
        self._until = until
        self.told: list[Told] = []
        self.finished: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        async with httpx2.AsyncClient(timeout=40) as http:
            while time.monotonic() < self._until:
                job_id = await self._enqueue(http)
                if job_id is not None:
                    await self._look(http, job_id)

    async def _enqueue(self, http: httpx2.AsyncClient) -> str | None:
        how = self._chance.choice(HOWS)
        options = {"defer_by": 1} if how == "later" else {}
        _, gateway = self._pick()
        try:
            answer = await http.post(
                f"{gateway.url}/jobs", json={"task": "flicker", "args": {"how": how}, "options": options}
            )
        except httpx2.TransportError:
            await asyncio.sleep(0.2)
            return None
        if answer.status_code != 202:
            self.refused[f"enqueue {answer.status_code}"] += 1
            await asyncio.sleep(0.2)
            return None
        now = time.monotonic()
        self.told.append(Told(answer.json()["job_id"], now, now, "202", "pending"))
        return str(answer.json()["job_id"])

    async def _look(self, http: httpx2.AsyncClient, job_id: str) -> None:
        after_the_end = 3
        while after_the_end:
            name, gateway = self._pick()
            asked = time.monotonic()
            try:
                answer = await http.get(f"{gateway.url}/jobs/{job_id}")
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
                continue
            now = time.monotonic()
            if answer.status_code == 404:
                self.told.append(Told(job_id, asked, now, name, None))
                return
            if answer.status_code != 200:
                self.refused[f"look {answer.status_code}"] += 1
                await asyncio.sleep(0.2)
                continue
            found = answer.json()
            self.told.append(Told(job_id, asked, now, name, found["state"], found["revision"]))
            if found["finished"]:
                after_the_end -= 1
                if not after_the_end:
                    self.finished[found["state"]] += 1
            await asyncio.sleep(self._chance.uniform(0, 0.05))

    def _pick(self) -> tuple[str, GatewayProcess]:
        name = self._chance.choice(sorted(self._gateways))
        return name, self._gateways[name]


async def test_no_answer_goes_backwards(chaos_broker: LocalBroker, tmp_path: Path) -> None:
    servers, paused = chaos_broker.bootstrap_servers, tmp_path / "paused"
    gateways = {}
    for name in ("a", "b"):
        settings = {"HEADRACE_GATEWAY_STATE_DIR": str(tmp_path / name)}
        if name == "b":
            settings["HEADRACE_STATUS_PAUSE_FILE"] = str(paused)
        gateways[name] = GatewayProcess(servers, APP, tmp_path, settings)
    worker = observed_worker(
        servers, APP, tmp_path, "flickering", session_timeout_seconds=6, show_running_after_seconds=0.5
    )
    try:
        await worker.start()
        await asyncio.gather(*(gateway.start() for gateway in gateways.values()))
        clients = [Client(gateways, seed, time.monotonic() + SECONDS) for seed in range(CLIENTS)]
        async with asyncio.timeout(SECONDS + 120), asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run())
            await asyncio.sleep(2)
            paused.touch()
            await asyncio.sleep(PAUSE_SECONDS)
            paused.unlink()
            await worker.kill()
            await worker.launch()
            for reader in gateways["a"].readers():
                os.kill(reader, signal.SIGKILL)
            await asyncio.sleep(3)
            assert await gateways["b"].stop() == 0
            await gateways["b"].start()
            assert gateways["a"].process is not None
            gateways["a"].process.kill()
            await gateways["a"].process.wait()
            await gateways["a"].start()
            await until(worker.ready, within_seconds=60)
    finally:
        await worker.stop()
        for gateway in gateways.values():
            if gateway.process is not None:
                await gateway.stop()
    told = [each for client in clients for each in client.told]
    finished = sum((client.finished for client in clients), Counter[str]())
    print(f"{len(told)} answers, finished {dict(finished)}, refused {[dict(c.refused) for c in clients]}")
    assert contradictions(told) == []
    assert finished.keys() == {"completed", "failed"}
    assert {each.by for each in told} == {"202", "a", "b"}
    assert {each.state for each in told} >= {"pending", "scheduled", "running", "retrying", "completed"}


def _told(state: str | None, asked: float, answered: float, revision: int = 0, by: str = "a") -> Told:
    return Told("j", asked, answered, by, state, revision)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ([_told("pending", 0, 1), _told("completed", 2, 3, 1)], 0),
        ([_told("completed", 0, 1, 1), _told("pending", 2, 3)], 1),
        ([_told("completed", 0, 2, 1), _told("pending", 1, 3)], 0),  # they overlap
        ([_told("retrying", 0, 1, 2), _told("running", 2, 3, 1)], 1),
        ([_told("running", 0, 1, 2), _told("completed", 2, 3, 2), _told("completed", 4, 5, 2)], 0),
        ([_told("pending", 0, 1), _told(None, 2, 3)], 1),
    ],
)
def test_the_checker_knows_what_goes_backwards(answers: list[Told], wrong: int) -> None:
    assert len(contradictions(answers)) == wrong
