"""The process that reads for a gateway: begun again when it dies, and gone when its gateway is."""

import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.integration.conftest import MakeTopic
from tests.integration.gateways import GatewayProcess, announced_topics
from tests.waiting import until


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


async def enqueued(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/jobs", json={"task": "send_email", "args": {"to": "a"}})
    assert answer.status_code == 202
    return str(answer.json()["job_id"])


async def test_it_is_begun_again_when_it_dies(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    await announced_topics(make_topic, broker, app_id)
    process = GatewayProcess(broker, app_id, tmp_path)
    try:
        await process.start()
        async with httpx2.AsyncClient(base_url=process.url, timeout=30) as client:
            before = await enqueued(client)
            assert (await client.get(f"/jobs/{before}")).json()["state"] == "pending"
            (reader,) = process.readers()
            assert process.process is not None
            assert niceness(reader) > niceness(process.process.pid), "answers go first"
            os.kill(reader, signal.SIGKILL)
            after = await enqueued(client)
            for job_id in (before, after):
                assert (await client.get(f"/jobs/{job_id}")).json()["state"] == "pending"
            assert (await client.get("/overview")).json()["states"] == {"pending": 2}
            (again,) = process.readers()
            assert again != reader
    finally:
        code = await process.stop()
    assert code == 0
    assert not is_there(again)
    assert '"exit_code":-9' in process.log()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_it_goes_with_its_gateway(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path, number: signal.Signals
) -> None:
    await announced_topics(make_topic, broker, app_id)
    settings = {"HEADRACE_GATEWAY_STATE_DIR": str(tmp_path / "state")}
    process = GatewayProcess(broker, app_id, tmp_path, settings)
    try:
        await process.start()
        (reader,) = process.readers()
        assert process.process is not None
        process.process.send_signal(number)
        await process.process.wait()
        await until(lambda: not is_there(reader), saying="the reader is gone")
        await process.start()  # its database is free
    finally:
        await process.stop()


async def test_a_database_in_use_is_said(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    await announced_topics(make_topic, broker, app_id)
    settings = {"HEADRACE_GATEWAY_STATE_DIR": str(tmp_path / "state")}
    first, second = (GatewayProcess(broker, app_id, tmp_path / name, settings) for name in "ab")
    for each in (first, second):
        each.folder.mkdir()
    try:
        await first.start()
        await second.launch()
        assert second.process is not None
        assert await second.process.wait() == 2
    finally:
        await first.stop()
    assert "one process at a time may use it" in second.log()
    assert "Traceback" not in second.log()
