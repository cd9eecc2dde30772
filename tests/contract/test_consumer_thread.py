"""What consumers/engine/consumer_thread.py overrides or reaches into."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from faust.app.base import App
from faust.transport.drivers import aiokafka as driver
from mode.threads import ServiceThread
from mode.utils import futures

from consumers.engine.connection import tell_at_once
from consumers.engine.consumer_thread import ConsumerThread
from tests.contract.stock import Stock

stock = Stock("consumers/engine/consumer_thread.py")


def test_the_consumer_of_the_thread_is_made_where_we_tune_it() -> None:
    thread = driver.AIOKafkaConsumerThread
    stock.takes(thread._create_worker_consumer, "transport")
    stock.says(thread._create_worker_consumer, "fetch_max_wait_ms=1500")
    stock.says(thread.on_start, "self._consumer = self._create_consumer(", "await self._consumer.start()")
    stock.sets(AIOKafkaConsumer, "_fetch_max_wait_ms", "_subscription", "_coordinator", "_fetcher")
    stock.says(AIOKafkaConsumer.start, "fetch_max_wait_ms=self._fetch_max_wait_ms")


def test_records_are_fetched_as_the_stock_thread_does_it() -> None:
    thread = driver.AIOKafkaConsumerThread
    stock.takes(thread.getmany, "active_partitions", "timeout")
    stock.takes(thread._fetch_records, "consumer", "active_partitions", "timeout", "max_records")
    stock.says(
        thread.getmany,
        "_consumer = self._ensure_consumer()",
        "self._fetch_records, _consumer, active_partitions, timeout=timeout,"
        "max_records=_consumer._max_poll_records",
    )
    stock.sets(AIOKafkaConsumer, "_max_poll_records")
    stock.sets(ServiceThread, "parent_loop", "thread_loop")
    stock.takes(futures.maybe_set_result, "fut", "result")
    stock.takes(futures.maybe_set_exception, "fut", "exc")


def test_a_rebalance_that_meets_a_stop_closes_nothing_from_the_other_thread() -> None:
    thread = driver.AIOKafkaConsumerThread
    stock.says(App._on_rebalance_when_stopped, "self.consumer.close()")
    stock.says(driver.Consumer.close, "self._thread.close()")
    stock.says(thread.close, "run_coroutine_threadsafe( self._consumer._client.close(), self.app.loop )")
    stock.says(thread.on_thread_stop, "await self._consumer.stop()")
    untouchable: Any = None
    ConsumerThread.close(untouchable)


class Cancelled:
    """A consumer whose fetch ended as cancelled while it was stopped."""

    closed = False
    _client: Any

    def __init__(self) -> None:
        self._client = self

    async def stop(self) -> None:
        raise asyncio.CancelledError

    async def close(self) -> None:
        self.closed = True


async def test_a_thread_stops_in_good_order_whatever_becomes_of_a_fetch() -> None:
    stock.says(
        driver.AIOKafkaConsumerThread.on_thread_stop,
        "await super().on_thread_stop()",
        "if self._consumer is not None:await self._consumer.stop()",
    )
    stock.says(ServiceThread._shutdown_thread, "await self.on_thread_stop()", "self.set_shutdown()")
    thread, consumer = ConsumerThread.__new__(ConsumerThread), Cancelled()
    thread._method_queue, thread._consumer = None, consumer
    await thread.on_thread_stop()
    assert consumer.closed


class Thread:
    """As much of a consumer thread as a fetch touches, on one loop."""

    getmany, _fetch = ConsumerThread.getmany, ConsumerThread._fetch

    def __init__(self, outcome: Any) -> None:
        self.parent_loop = self.thread_loop = asyncio.get_running_loop()
        self.outcome = outcome

    def _ensure_consumer(self) -> Any:
        if isinstance(self.outcome, driver.ConsumerNotStarted):
            raise self.outcome
        return SimpleNamespace(_max_poll_records=7)

    async def _fetch_records(self, consumer: Any, active: Any, *, timeout: float, max_records: int) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return {"of": active, "within": timeout, "at most": max_records}


async def test_a_fetch_gives_what_the_thread_fetched() -> None:
    assert await Thread(None).getmany({1}, 0.5) == {"of": {1}, "within": 0.5, "at most": 7}  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError(), driver.ConsumerNotStarted()])
async def test_a_fetch_raises_what_the_thread_raised(error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with asyncio.timeout(5):
            await Thread(error).getmany(None, 0.5)  # type: ignore[arg-type, misc]


async def test_whoever_waits_is_told_as_soon_as_there_is_news() -> None:
    stock.sets(Fetcher, "_fetch_waiters")
    stock.takes(Fetcher._proc_fetch_request, "assignment", "node_id", "request")
    stock.says(Fetcher._fetch_requests_routine, "self._proc_fetch_request(assignment, node_id, request)")
    answers = iter([False, True])

    async def proc_fetch_request(assignment: Any, node_id: int, request: Any) -> bool:
        return next(answers)

    waiter = asyncio.get_running_loop().create_future()
    fetcher: Any = SimpleNamespace(
        _proc_fetch_request=proc_fetch_request,
        _fetch_waiters={waiter},
        _notify=lambda future: future.set_result(None),
    )
    tell_at_once(fetcher)
    assert not await fetcher._proc_fetch_request(None, 1, None)
    assert not waiter.done()
    assert await fetcher._proc_fetch_request(None, 1, None)
    assert waiter.done()
