"""The steered tasks in a worker whose stop waits until a rebalance met it.

It touches `STOPPING` then, and notes every connection that is closed in another thread than its own.
"""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from faust.app.base import App

from tests.integration.modules import steered  # noqa: F401 - its tasks
from tests.integration.modules.raw_log import note_of_worker

MEETINGS = 2  # partitions revoked, partitions assigned
LONGEST_SECONDS = 30.0

_stock_stop, _stock_meet = App._stop_consumer, App._on_rebalance_when_stopped
_stock_init, _stock_close = AIOKafkaConnection.__init__, AIOKafkaConnection.close
_met = 0


async def stop_consumer(app: Any) -> None:
    Path(os.environ["STOPPING"]).touch()
    async with asyncio.timeout(LONGEST_SECONDS):
        while _met < MEETINGS:
            await asyncio.sleep(0.02)
    await _stock_stop(app)


def on_rebalance_when_stopped(app: Any) -> None:
    global _met
    _met += 1
    note_of_worker("met")
    _stock_meet(app)


def init(connection: Any, *args: Any, **options: Any) -> None:
    connection.thread = threading.get_ident()
    _stock_init(connection, *args, **options)


def close(connection: Any, *args: Any, **options: Any) -> Any:
    if connection.thread != threading.get_ident():
        note_of_worker("closed elsewhere")
    return _stock_close(connection, *args, **options)


App._stop_consumer, App._on_rebalance_when_stopped = stop_consumer, on_rebalance_when_stopped
AIOKafkaConnection.__init__, AIOKafkaConnection.close = init, close
