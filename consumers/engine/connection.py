"""Two mends for aiokafka, applied once per process.

uvloop raises RuntimeError when a write meets a connection that was just reset; aiokafka handles OSError
only, its metadata task dies of it without a word, and commits hang for ever. And while a broker is away its
loggers say the same line hundreds of times a second (see `consumers/telemetry/logs.py` for that one).
"""

from contextvars import ContextVar
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError, RebalanceInProgressError

collected_in: ContextVar[int | None] = ContextVar("collected_in", default=None)
"""In which generation of the group the offsets were collected that are being committed."""

_stock_send = AIOKafkaConnection.send


def mend_connections() -> None:
    """Make a write to a reset connection fail the way aiokafka expects. Safe to call twice."""
    AIOKafkaConnection.send = _send


def tell_at_once(fetcher: Any) -> None:
    """Wake whoever waits for records before the next fetch is put together, not behind it."""
    stock = fetcher._proc_fetch_request

    async def proc_fetch_request(assignment: Any, node_id: int, request: Any) -> bool:
        has_news: bool = await stock(assignment, node_id, request)
        if has_news:
            for waiter in fetcher._fetch_waiters:
                fetcher._notify(waiter)
        return has_news

    fetcher._proc_fetch_request = proc_fetch_request


def _send(self: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _stock_send(self, request, expect_response)
    except KafkaError:  # these are RuntimeErrors too
        raise
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection at {self._host}:{self._port} broken: {error}") from error


def dead_tasks(client: Any, **tasks: Any) -> list[str]:
    """Names of background tasks of an aiokafka client that ended although nobody stopped them."""
    watched = {"metadata": getattr(client, "_sync_task", None), **tasks}
    return [name for name, task in watched.items() if task is not None and task.done()]


def mend_commits(coordinator: Any) -> None:
    """Commit nothing while the group is joined anew, nothing collected in an older generation of it, and take
    a refusal that is late for what it is.

    Kafka takes any offset from any member of its newest generation: one collected before would be committed
    for partitions that have another owner by now. And aiokafka takes a refusal because of the generation for
    an eviction: it joins anew, so begins yet another generation, and so on through the whole group.
    """
    stock_commit, stock_reset = coordinator._do_commit_offsets, coordinator.reset_generation
    asked_in: ContextVar[int | None] = ContextVar("asked_in", default=None)

    async def do_commit_offsets(assignment: Any, offsets: Any) -> None:
        stale = collected_in.get() not in (None, coordinator.generation)
        if stale or coordinator._performed_join_prepare:
            raise RebalanceInProgressError(coordinator.group_id)
        asked_in.set(coordinator.generation)
        try:
            await stock_commit(assignment, offsets)
        finally:
            asked_in.set(None)

    def reset_generation() -> None:
        if asked_in.get() in (None, coordinator.generation):
            stock_reset()

    coordinator._do_commit_offsets = do_commit_offsets
    coordinator.reset_generation = reset_generation
