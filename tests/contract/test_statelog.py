"""What consumers/engine/statelog.py relies on in aiokafka's batches: who is last, and how full is told."""

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch

from consumers.engine.statedb import Change
from consumers.engine.statelog import StateLog
from tests.contract.stock import Stock

stock = Stock("consumers/engine/statelog.py")
TP = TopicPartition("t.retry", 0)
BATCH_BYTES = 400
FIRST_OFFSET = 30


class OneBroker:
    """A producer whose broker appends every batch at once; the batches are aiokafka's."""

    def __init__(self) -> None:
        self.end = FIRST_OFFSET
        self.sizes: list[int] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0)

    async def send_batch(self, builder: BatchBuilder, topic: str, *, partition: int) -> object:
        sent = MessageBatch(TopicPartition(topic, partition), builder, 1.0, 0)
        sent.done(self.end, timestamp=-1)
        self.end += builder.record_count()
        self.sizes.append(builder.record_count())
        return sent.future


def test_a_producer_takes_whole_batches() -> None:
    stock.takes(AIOKafkaProducer.create_batch)
    stock.takes(AIOKafkaProducer.send_batch, "batch", "topic", "partition")
    stock.accepts(BatchBuilder.append, "timestamp", "key", "value", "headers")
    stock.says(AIOKafkaProducer.send_batch, "future = await self._message_accumulator.add_batch(")
    stock.says(MessageAccumulator.add_batch, "return asyncio.shield(batch.future)")


def test_batches_of_a_partition_keep_their_order() -> None:
    # `append` holds its lock for one call after the other; within a call the accumulator queues.
    stock.says(MessageAccumulator._pop_batch, "self._batches[tp].popleft()")
    stock.says(MessageAccumulator.add_batch, "await pending[-1].wait_drain(timeout=timeout)")


async def test_a_full_batch_says_so_and_the_last_offset_is_counted_from_its_base() -> None:
    producer = OneBroker()
    log = StateLog(producer=producer, topic=TP.topic, partition=TP.partition, writer=9)
    changes = [Change(b"job-%d" % number, b"x" * 100) for number in range(7)]
    last = await log.append(changes)
    stock.holds(len(producer.sizes) > 1, "a batch never says that it is full")
    stock.holds(sum(producer.sizes) == 7, f"of 7 records {producer.sizes} were sent")
    stock.holds(last == FIRST_OFFSET + 6, f"the last offset is {last}")
    stock.holds(not log.gaps, f"gaps where nobody else wrote: {log.gaps}")
