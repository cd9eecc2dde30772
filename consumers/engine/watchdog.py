"""Things that end without a word, and what they would leave hanging: found within a second, and the worker
ends.

A worker that exits is restarted by whoever runs it; one that hangs half-dead is not.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from consumers.engine.connection import dead_tasks

LOOK_EVERY_SECONDS: Final = 1.0


class WorkerBroken(RuntimeError):
    """A background task of the Kafka client ended by itself; only a new process mends that."""


async def watch_clients(app: Any, producers: Callable[[], dict[str, Any]]) -> None:
    """Raise `WorkerBroken` when a client of this process lost one of its tasks."""
    while not app.should_stop:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        if app.crashed:
            raise WorkerBroken(f"Faust gave up: {app.crash_reason!r}") from app.crash_reason
        dead = [
            f"{name}: {task}"
            for name, producer in producers().items()
            for task in dead_tasks(producer.client, sender=producer._sender.sender_task)
        ]
        consumer = app.consumer._thread._consumer if app._consumer is not None else None
        if consumer is not None:
            coordination = getattr(consumer._coordinator, "_coordination_task", None)
            dead += [f"consumer: {task}" for task in dead_tasks(consumer._client, coordination=coordination)]
        if dead and not app.should_stop:
            raise WorkerBroken(f"these tasks of the Kafka client ended by themselves: {', '.join(dead)}")
