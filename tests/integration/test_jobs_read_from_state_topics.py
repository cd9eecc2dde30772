"""`headrace jobs` shows what the state topics say, fences honoured."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from consumers.cli.jobs import command
from events.sender import Record, Sender
from events.settings import ClientSettings
from events.topics import ledger_topic, retry_topic
from schemas.job import JobState
from schemas.state import encode_state, fence_key
from tests.integration.conftest import MakeTopic


def job(state: JobState, *, writer: int, revision: int) -> bytes:
    document = {"state": state, "task": "count", "attempt": 1, "enqueued_ms": 1_700_000_000_000}
    return encode_state(document, writer=writer, revision=revision)


async def run(*arguments: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, command, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
async def state(broker: str, app_id: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    """One job retrying, one completed; a thawed worker says otherwise."""
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", broker)
    monkeypatch.setenv("HEADRACE_APP_ID", app_id)
    retry = await make_topic(retry_topic(app_id, "probe"), partitions=2, exact=True)
    ledger = await make_topic(ledger_topic(app_id, "probe"), partitions=2, exact=True)
    fence = encode_state({"released": False, "at_ms": 1}, writer=2)
    records = [
        Record(retry, b"a", job(JobState.RETRYING, writer=1, revision=1), partition=0),
        Record(retry, b"b", job(JobState.RETRYING, writer=1, revision=1), partition=1),
        Record(retry, fence_key(0), fence, partition=0),
        Record(retry, b"a", job(JobState.RUNNING, writer=1, revision=9), partition=0),
        Record(ledger, b"b", job(JobState.COMPLETED, writer=1, revision=2), partition=1),
    ]
    sender = Sender(ClientSettings(bootstrap_servers=broker), max_message_bytes=100_000, timeout_seconds=20)
    await sender.start()
    for record in records:
        await sender.send(record)
    await sender.stop()


@pytest.mark.usefixtures("state")
async def test_jobs_are_listed_by_state() -> None:
    found = json.loads((await run("list", "--json"))[1])
    assert [(each["job_id"], each["state"]) for each in found] == [("a", "retrying"), ("b", "completed")]
    assert json.loads((await run("list", "--state", "completed", "--json"))[1]) == found[1:]
    assert json.loads((await run("list", "--source", "other", "--json"))[1]) == []
    assert "2023-11-14T22:13:20.000+00:00  a" in (await run("list"))[1]


@pytest.mark.usefixtures("state")
async def test_one_job_is_shown_or_said_to_be_unknown() -> None:
    assert json.loads((await run("show", "b", "--json"))[1])["revision"] == 2
    assert "completed" in (await run("show", "b"))[1]
    code, output = await run("show", "c")
    assert code == 1
    assert "no job c is known" in output
