"""What consumers/engine/outbox.py reaches into of aiokafka's producer."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    for_code,
)
from aiokafka.producer.message_accumulator import MessageAccumulator

from tests.contract.stock import Stock

stock = Stock("consumers/engine/outbox.py")


def test_the_producer_is_made_as_ours_is() -> None:
    stock.accepts(
        AIOKafkaProducer.__init__,
        "bootstrap_servers",
        "client_id",
        "enable_idempotence",
        "acks",
        "linger_ms",
        "max_batch_size",
        "max_request_size",
        "compression_type",
    )
    stock.sets(AIOKafkaProducer, "client")


def test_a_record_alone_goes_where_it_would_have_gone() -> None:
    names = ("topic", "partition", "key", "value", "serialized_key", "serialized_value")
    stock.takes(AIOKafkaProducer._partition, *names)
    stock.says(AIOKafkaProducer._partition, "self._partitioner(serialized_key, all_partitions, available)")
    stock.says(AIOKafkaProducer.send, "self._partition(topic, partition, key, value, key_bytes, value_bytes)")
    stock.takes(AIOKafkaProducer.partitions_for, "topic")


async def test_topics_are_looked_up_as_ours_are() -> None:
    stock.takes(AIOKafkaClient.add_topic, "topic")
    stock.takes(ClusterMetadata.partitions_for_topic, "topic")
    client = AIOKafkaClient()
    stock.holds(client.cluster.partitions_for_topic("t") is None, "a topic nobody asked for is known")
    update = client.force_metadata_update()
    stock.holds(asyncio.isfuture(update), "force_metadata_update gives no future to wait for")
    update.cancel()
    await client.close()


def test_sequence_numbers_move_on_before_a_batch_is_sent() -> None:
    # Why a refusal costs the producer.
    stock.says(
        MessageAccumulator._pop_batch,
        "not_retry = batch.retry_count == 0",
        "self._txn_manager.increment_sequence_number(batch.tp, batch.record_count)",
    )


@pytest.mark.parametrize(("code", "kind"), [(10, MessageSizeTooLargeError), (18, RecordListTooLargeError)])
def test_errors_say_whether_size_was_the_reason(code: int, kind: type[KafkaError]) -> None:
    error = for_code(code)()
    stock.holds(error.errno == code and not error.retriable, f"{error!r} has another code or is retriable")
    stock.holds(isinstance(error, kind), f"the broker's {code} does not become {kind.__name__}")


def test_a_lost_connection_is_retriable_and_too_large_is_not() -> None:
    stock.holds(KafkaConnectionError().retriable, "a lost connection is not retriable any more")
    stock.holds(not KafkaError().retriable, "any error is retriable")
