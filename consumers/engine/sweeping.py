"""Forgetting: expired ledger records are deleted from disk bit by bit, between other work.

Kafka deletes its copy by retention; a read checks the expiry anyway, so nothing depends on how far the sweep
is.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from consumers.engine.partition import Partition
from consumers.engine.statedb import RECORD

AT_ONCE: Final = 1_000
PAUSE_SECONDS: Final = 0.1


async def sweep(partition: Partition, now_ms: Callable[[], int], *, interval_seconds: float) -> None:
    """Sweep the ledger of a partition for as long as it is ours, `interval_seconds` between two rounds."""
    while not partition.lost:
        await asyncio.sleep(interval_seconds)
        position: bytes | None = RECORD
        while position is not None and not partition.lost and partition.ledger.db is not None:
            position = partition.ledger.db.sweep(position, AT_ONCE, now_ms())
            await asyncio.sleep(PAUSE_SECONDS)
