"""Lag in records and in seconds, with no worker alive."""

import asyncio
import json
import time
from collections.abc import Mapping

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from click.testing import CliRunner, Result

from consumers.cli.lag import command
from events.errors import UnknownTopic
from events.lag import read_lag
from events.settings import ClientSettings
from tests.integration.conftest import MakeTopic


async def publish(broker: str, topic: str, partition: int, ages_seconds: list[float]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for age in ages_seconds:
            stamp = int((time.time() - age) * 1000)
            await producer.send_and_wait(topic, b"{}", partition=partition, timestamp_ms=stamp)


async def commit(broker: str, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    async with AIOKafkaConsumer(
        bootstrap_servers=broker, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))


async def test_records_and_seconds_behind(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    topic = await make_topic("flights", partitions=3)
    await publish(broker, topic, 0, [900, 600, 300])
    await publish(broker, topic, 1, [50, 40])
    await commit(broker, app_id, {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 2})
    settings = ClientSettings(bootstrap_servers=broker, app_id=app_id)
    behind, done, empty = await read_lag(settings)
    assert (behind.partition, behind.end, behind.committed, behind.lag_records) == (0, 3, 1, 2)
    assert behind.lag_seconds is not None
    assert behind.lag_seconds == pytest.approx(600, abs=60)
    assert (done.end, done.committed, done.lag_records, done.lag_seconds) == (2, 2, 0, 0.0)
    assert (empty.end, empty.committed, empty.lag_records, empty.lag_seconds) == (0, None, 0, 0.0)


async def test_before_the_first_commit_everything_is_behind(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    topic = await make_topic("flights")
    await make_topic(f"{app_id}.{topic}.ledger", exact=True)
    await publish(broker, topic, 0, [30, 20])
    (only,) = await read_lag(ClientSettings(bootstrap_servers=broker, app_id=app_id))
    assert (only.topic, only.committed, only.lag_records) == (topic, None, 2)


async def test_a_misspelt_topic_is_named(broker: str, app_id: str) -> None:
    settings = ClientSettings(bootstrap_servers=broker, app_id=app_id)
    with pytest.raises(UnknownTopic, match="no topic flihgts"):
        await read_lag(settings, topics=["flihgts"])


async def test_the_command_prints_json_and_columns(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    topic = await make_topic("flights")
    await publish(broker, topic, 0, [120])
    environment = {"HEADRACE_BOOTSTRAP_SERVERS": broker, "HEADRACE_APP_ID": app_id}

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, command, arguments, env=environment)

    printed = json.loads((await run("--json", "--topic", topic)).stdout)
    assert printed["group"] == app_id
    assert printed["lag_records"] == 1
    assert printed["partitions"][0]["topic"] == topic
    assert f"{topic}  0" in (await run("--topic", topic)).stdout
    assert "committed nothing" in (await run()).stdout
