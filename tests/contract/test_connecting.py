"""What events/connecting.py reaches into of aiokafka's producer."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch

from events.connecting import disconnect
from tests.contract.stock import Stock

stock = Stock("events/connecting.py")
TP = TopicPartition("t", 0)
NOBODY = "127.0.0.1:1"
WITHIN_SECONDS = 20.0


async def queued(producer: Any) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = await producer._message_accumulator.add_message(TP, b"k", b"v", 1.0)
    return future


def test_stopping_waits_for_what_is_queued() -> None:
    stock.takes(AIOKafkaProducer.stop)
    stock.sets(AIOKafkaProducer, "client", "_message_accumulator", "_closed")
    stock.takes(MessageAccumulator.fail_all, "exception")
    stock.sets(MessageAccumulator, "_batches", "_pending_batches")
    stock.sets(MessageBatch, "_drain_waiter")
    stock.says(
        AIOKafkaProducer.stop,
        "create_task(self._message_accumulator.close())",
        "self._sender.sender_task",
        "await self._sender.close()",
        "await self.client.close()",
    )


async def test_a_producer_that_did_not_start_can_be_stopped() -> None:
    producer = AIOKafkaProducer(bootstrap_servers=NOBODY)
    with pytest.raises(KafkaConnectionError):
        await producer.start()
    async with asyncio.timeout(WITHIN_SECONDS):
        await producer.stop()


async def test_failing_the_rest_reaches_what_is_queued_and_what_comes_later() -> None:
    producer = AIOKafkaProducer(bootstrap_servers=NOBODY)
    waiting = await queued(producer)
    producer._message_accumulator.fail_all(KafkaError("the producer was stopped"))
    with pytest.raises(KafkaError, match="was stopped"):
        await waiting
    with pytest.raises(KafkaError, match="was stopped"):
        await queued(producer)
    await producer.stop()


async def test_a_disconnected_producer_leaves_nobody_waiting() -> None:
    producer = AIOKafkaProducer(bootstrap_servers=NOBODY)
    waiting = await queued(producer)
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: reported.append(what))
    async with asyncio.timeout(WITHIN_SECONDS):
        await disconnect(producer)
        with pytest.raises(KafkaError, match="was stopped"):
            await waiting
    del producer, waiting
    gc.collect()
    assert reported == []
