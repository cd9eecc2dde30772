"""Time that goes on only when told, and an event loop that is stepped by hand and knows no sockets."""

import asyncio
import logging
from asyncio import events
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import structlog
from faust.transport import consumer as faust_consumer

from consumers.engine import (
    assembly,
    engine,
    execution,
    repair,
    runners,
    settlement,
    statedb,
    statelog,
    transport,
)
from tests.model.state_reader import SimStateReader
from tests.unit.consumers.engine.memory import MemoryBatch

START_MS = 1_900_000_000_000
STUCK_AFTER = 20_000


class Clock:
    """Stands in for the `time` module of the engine, and for its `now_ms`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return self.now_ms() * 1_000_000

    def now_ms(self) -> int:
        return START_MS + round(self.now * 1000)


CLOCK = Clock()


@contextmanager
def simulated() -> Iterator[None]:
    """Let every part of the engine read `CLOCK`, and write to databases in memory; nobody logs."""
    with ExitStack() as stack:
        stack.callback(structlog.reset_defaults)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        stack.callback(logging.disable, logging.NOTSET)
        logging.disable(logging.CRITICAL)
        for module in (engine, execution, runners, settlement, statelog, transport):
            stack.enter_context(mock.patch.object(module, "time", CLOCK))
        for module in (assembly, engine):
            stack.enter_context(mock.patch.object(module, "now_ms", CLOCK.now_ms))
        stack.enter_context(mock.patch.object(repair, "reading", SimStateReader))
        stack.enter_context(mock.patch.object(statedb, "rocksdict", SimpleNamespace(WriteBatch=MemoryBatch)))
        # A table of every commit for a debug log costs more than all the rest of a step.
        stack.enter_context(mock.patch.object(faust_consumer.terminal, "logtable", return_value=""))
        yield


class _NoSockets:
    def select(self, timeout: float | None) -> list[Any]:
        return []

    def close(self) -> None:
        pass


class SteppedLoop(asyncio.BaseEventLoop):
    """A loop that runs what is ready now, and then stands still."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoSockets()
        self._clock_resolution = 1e-9
        self._tasks: list[asyncio.Task[Any]] = []

    def time(self) -> float:
        return CLOCK.now

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def settle(self) -> None:
        """Run until nothing is ready and no timer is due."""
        if not self._has_work():
            return
        events._set_running_loop(self)
        try:
            for _ in range(STUCK_AFTER):
                self._run_once()  # type: ignore[attr-defined]
                if not self._has_work():
                    return
            raise AssertionError("the loop never comes to rest")
        finally:
            events._set_running_loop(None)

    def _has_work(self) -> bool:
        return bool(self._ready or (self._scheduled and self._scheduled[0]._when <= CLOCK.now))  # type: ignore[attr-defined]

    def create_task(self, *args: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task = super().create_task(*args, **kwargs)
        self._tasks.append(task)  # asyncio.all_tasks looks at those of every loop
        return task

    def end(self) -> None:
        """Cancel every task and close."""
        for _ in range(20):
            left = [task for task in self._tasks if not task.done()]
            if not left:
                return self.close()
            for task in left:
                task.cancel()
            self.settle()
        raise AssertionError(f"these cannot be cancelled: {left}")
