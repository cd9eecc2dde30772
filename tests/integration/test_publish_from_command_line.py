"""`headrace publish` and `headrace enqueue` put on the log what workers read."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from consumers.cli.enqueue import command as enqueue
from consumers.cli.publish import command as publish
from events.codec import decode
from events.topics import jobs_topic
from schemas.job import JOB_REQUESTED, JobRequested, job_id
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, broker: str, app_id: str) -> None:
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", broker)
    monkeypatch.setenv("HEADRACE_APP_ID", app_id)


async def test_lines_become_events_in_order(broker: str, make_topic: MakeTopic) -> None:
    topic = await make_topic(partitions=2)
    lines = "".join(f'{{"n": {number}}}\n' for number in range(1_500))
    arguments = ["probe.happened", "--topic", topic, "--key", "k", "--lines", "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, publish, arguments, input=lines)
    sent = json.loads(result.stdout)
    found = [
        decode(
            key=record.key,
            value=record.value,
            headers=record.headers,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
        )
        for record in await records_of(broker, topic)
    ]
    assert [event.data["n"] for event in found] == list(range(1_500))
    assert [event.id for event in found] == [event["id"] for event in sent]


async def test_a_job_is_asked_for_where_equal_keys_meet(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    topics = [
        await make_topic(jobs_topic(app_id, priority), partitions=4, exact=True)
        for priority in ("high", "normal")
    ]
    places = []
    for priority in ("high", "normal"):
        arguments = ["send_email", "--args", '{"to": "a"}', "--priority", priority]
        result = await asyncio.to_thread(
            CliRunner().invoke, enqueue, [*arguments, "--idempotency-key", "welcome", "--json"]
        )
        places.append(json.loads(result.stdout))
    assert places[0]["partition"] == places[1]["partition"]
    assert {place["job_id"] for place in places} == {job_id("send_email", "welcome")}
    (record,) = await records_of(broker, topics[0])
    event = decode(
        key=record.key, value=record.value, headers=record.headers, topic=topics[0], partition=0, offset=0
    )
    assert event.type == JOB_REQUESTED
    assert JobRequested.model_validate_json(event.raw_data or b"").args == {"to": "a"}
