"""What consumers/engine/watchdog.py looks at, and that it tells."""

import asyncio
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.sender import Sender
from mode import Service

from consumers.engine import watchdog
from consumers.engine.watchdog import WorkerBroken, watch_clients
from tests.contract.stock import Stock

stock = Stock("consumers/engine/watchdog.py")


def app(**facts: Any) -> Any:
    return SimpleNamespace(should_stop=False, crashed=False, crash_reason=None, _consumer=None, **facts)


async def ended() -> asyncio.Task[None]:
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    return task


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY_SECONDS", 0.0)


def test_the_tasks_of_clients_are_where_we_look() -> None:
    stock.sets(AIOKafkaProducer, "client", "_sender")
    stock.says(Sender.sender_task.fget, "return self._sender_task")
    stock.says(Sender.start, "self._sender_task = create_task(")
    stock.says(AIOKafkaClient, "self._sync_task = create_task(self._md_synchronizer())")
    stock.sets(AIOKafkaConsumer, "_client", "_coordinator")
    stock.says(GroupCoordinator.__init__, "self._coordination_task = create_task(")


def test_faust_tells_that_it_crashed_where_we_look() -> None:
    stock.has(Service, "crashed", "crash_reason", "should_stop")
    stock.has(faust.App, "_consumer")
    stock.says(Service._crash, "self.crash_reason = reason")


async def test_a_crash_of_faust_ends_the_worker_with_its_reason() -> None:
    crashed = app()
    crashed.crashed, crashed.crash_reason = True, ValueError("why")
    with pytest.raises(WorkerBroken, match="why"):
        await watch_clients(crashed, dict)


async def test_a_dead_task_of_a_producer_ends_the_worker() -> None:
    producer = SimpleNamespace(
        client=SimpleNamespace(_sync_task=None), _sender=SimpleNamespace(sender_task=await ended())
    )
    with pytest.raises(WorkerBroken, match="outbox: sender"):
        await watch_clients(app(), lambda: {"outbox": producer})


async def test_a_dead_task_of_the_consumer_ends_the_worker() -> None:
    consumer = SimpleNamespace(
        _client=SimpleNamespace(_sync_task=await ended()),
        _coordinator=SimpleNamespace(_coordination_task=await ended()),
    )
    reading = app(consumer=SimpleNamespace(_thread=SimpleNamespace(_consumer=consumer)))
    reading._consumer = reading.consumer
    with pytest.raises(WorkerBroken, match="consumer: metadata, consumer: coordination"):
        await watch_clients(reading, dict)
