"""What consumers/engine/transport.py overrides or reaches into."""

import asyncio
from types import SimpleNamespace
from typing import Any

import faust
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from faust import Event
from faust.transport import consumer as stock_consumer
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from consumers.engine import transport
from consumers.engine.transport import Batch, BatchTopic
from tests.contract.stock import Stock

stock = Stock("consumers/engine/transport.py")
IDLE_SECONDS = 1_000_000.0


def record(offset: int) -> Any:
    return SimpleNamespace(
        offset=offset, timestamp=7_000, timestamp_type=0, headers=(("n", b"1"),), key=b"k", value=b"v"
    )


def batch_message(batch: Batch) -> Any:
    engine_side: Any = SimpleNamespace(app=SimpleNamespace(consumer_generation_id=3))
    return transport.Consumer._batch_message(engine_side, batch.tp, batch.records[-1], batch)


def test_the_drivers_parts_are_chosen_where_we_choose_them() -> None:
    stock.has(driver, "AIOKafkaConsumerThread", "Consumer", "Transport")
    stock.takes(driver.Consumer._new_consumer_thread)
    stock.says(
        driver.Consumer._new_consumer_thread,
        "AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon)",
    )
    stock.says(ThreadDelegateConsumer.__init__, "self._thread = self._new_consumer_thread()")


def test_the_fetcher_reads_through_our_loop() -> None:
    stock.takes(Consumer._drain_messages, "fetcher")
    stock.says(stock_consumer.Fetcher, "await consumer._drain_messages(self)")
    stock.takes(ThreadDelegateConsumer._getmany, "active_partitions", "timeout")
    stock.takes(Consumer._get_active_partitions)
    stock.takes(Consumer._is_changelog_tp, "tp")
    stock.takes(driver.Consumer.seek_wait, "partitions")
    stock.has(driver.Consumer, "assignment", "consumer_stopped_errors", "crash", "wait", "wait_first")


def test_a_message_is_handed_over_by_a_coroutine() -> None:
    """We run it without a task of its own up to where it waits."""
    stock.says(Conductor._compile_message_handler, "async def on_message(", "return await callback(message)")
    stock.says(Conductor.__init__, "self.on_message = self._compile_message_handler()")


def test_the_state_we_read_is_there() -> None:
    stock.sets(
        Consumer, "app", "callback", "can_resume_flow", "suspend_flow", "_read_offset", "_committed_offset"
    )
    stock.says(
        Consumer.__init__,
        "self._read_offset = defaultdict(lambda: None)",
        "self._committed_offset = defaultdict(lambda: None)",
    )
    stock.says(Consumer.stop_flow, "self.flow_active = False", "self.suspend_flow.set()")
    stock.says(Consumer.resume_flow, "self.flow_active = True", "self.can_resume_flow.set()")


def test_a_commit_asks_us_what_may_be_committed() -> None:
    stock.takes(Consumer._filter_tps_with_pending_acks, "topics")
    stock.takes(Consumer._new_offset, "tp")
    stock.takes(Consumer._should_commit, "tp", "offset")
    stock.says(Consumer.commit, "return await self.force_commit(")
    stock.says(Consumer.force_commit, "self._filter_tps_with_pending_acks(topics)", "self._commit_tps(")
    stock.says(
        Consumer._filter_committable_offsets, "self._new_offset(tp)", "self._should_commit(tp, offset)"
    )
    stock.says(
        Consumer._commit_offsets,
        "if tp in assignment: committable_offsets[tp] = offset",
        "self._committed_offset.update(committable_offsets)",
    )


def test_a_rebalance_comes_by_us() -> None:
    stock.takes(Consumer.on_partitions_revoked, "revoked")
    stock.takes(Consumer.on_partitions_assigned, "assigned", "generation_id")
    stock.says(
        Consumer.on_partitions_revoked,
        "self._read_offset.pop(tp, None)",
        "self._committed_offset.pop(tp, None)",
    )
    stock.says(ThreadDelegateConsumer.threadsafe_partitions_revoked, "self.on_partitions_revoked,")
    stock.says(ThreadDelegateConsumer.threadsafe_partitions_assigned, "self.on_partitions_assigned,")
    stock.says(driver.ConsumerRebalanceListener, "app.consumer_generation_id = generation")


def test_reading_begins_at_what_was_committed() -> None:
    stock.takes(Consumer.perform_seek)
    stock.says(
        Consumer.perform_seek,
        "await self.seek_to_committed()",
        "read_offset.update(",
        "self._committed_offset.update(committed_offsets)",
    )


def test_the_group_is_asked_where_we_listen() -> None:
    stock.takes(GroupCoordinator._do_heartbeat)
    stock.takes(GroupCoordinator._do_rejoin_group, "subscription")
    stock.says(GroupCoordinator._heartbeat_routine, "success = await self._do_heartbeat()")
    stock.says(GroupCoordinator.ensure_active_group, "await self._do_rejoin_group(subscription)")
    stock.says(GroupCoordinator._do_heartbeat, "if error_type is Errors.NoError:", "return True")


async def test_only_a_heartbeat_that_was_answered_counts() -> None:
    answers = iter((False, True))

    async def answer(*_: object) -> bool:
        return next(answers)

    async def rejoin(_: object) -> bool:
        return False

    coordinator = SimpleNamespace(
        _do_heartbeat=answer, _do_rejoin_group=rejoin, _do_commit_offsets=None, reset_generation=None
    )
    consumer: Any = SimpleNamespace(last_heartbeat=0.0, _joined=0.0)
    transport.Consumer.watch_heartbeats(consumer, coordinator)
    assert await coordinator._do_heartbeat() is False
    assert consumer.last_heartbeat == 0.0
    assert await coordinator._do_heartbeat() is True
    assert consumer.last_heartbeat > 0.0
    assert await coordinator._do_rejoin_group("subscription") is False
    assert consumer._joined > 0.0


async def test_a_fetch_context_counts_as_polling() -> None:
    subscription = SubscriptionState(loop=asyncio.get_running_loop())
    subscription._last_fetch_ended -= IDLE_SECONDS
    before = subscription.fetcher_idle_time
    with subscription.fetch_context():
        pass
    idle = subscription.fetcher_idle_time
    stock.holds(before >= IDLE_SECONDS > idle, "an empty fetch context does not count as polling any more")
    stock.says(GroupCoordinator._heartbeat_routine, "self._subscription.fetcher_idle_time")


def test_a_message_carries_a_batch() -> None:
    batch = Batch(TP("t", 1), [record(4), record(5)], 4, 0)
    message = batch_message(batch)
    stock.holds(isinstance(message, ConsumerMessage), "our message is no ConsumerMessage")
    found = (message.tp, message.offset, message.timestamp, message.value, message.generation_id)
    stock.holds(found == (TP("t", 1), 5, 7.0, batch, 3), f"ConsumerMessage holds {found}")


async def test_our_topic_hands_over_the_batch_as_it_is() -> None:
    app = faust.App("contract", broker="kafka://127.0.0.1:1", web_enabled=False)
    topic = BatchTopic(app, topics=["t"], partitions=2, allow_empty=True)
    batch = Batch(TP("t", 1), [record(4)], None, 0)
    event = await topic.decode(batch_message(batch), propagate=True)
    stock.holds(isinstance(event, Event) and event.value is batch, "BatchTopic does not hand over the batch")
    clone = topic.clone_using_queue(asyncio.Queue())
    again = await clone.decode(batch_message(batch), propagate=True)
    stock.holds(again.value is batch, "a clone of BatchTopic, as streams make them, decodes by itself")
