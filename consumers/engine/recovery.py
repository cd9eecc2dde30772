"""Bringing state back: fence first, then read the changelogs in batches straight into RocksDB.

The fence is written before the end offsets are taken, so recovery ends behind it: whatever an older owner
wrote before the fence is read, whatever it writes after is ignored by every reader.
"""

import asyncio
from typing import Any

import structlog
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

log = structlog.get_logger()


class BatchRecovery(Recovery):  # type: ignore[misc]
    """Faust's recovery, fed whole batches instead of events."""

    def restore(self, tp: TP, records: list[Any]) -> None:
        """Apply changelog records the consumer fetched."""
        if tp in self.active_tps:
            offsets = self.active_offsets
        elif tp in self.standby_tps:
            offsets = self.standby_offsets
        else:
            return
        self.tp_to_table[tp].data.restore(tp.partition, records)
        offsets[tp] = records[-1].offset
        self.end_if_done()

    def end_if_done(self) -> None:
        if self.in_recovery and not self.need_recovery():
            self._set_recovery_ended()
            self.signal_recovery_end.set()
        if not self.tables.standbys_ready and not self.standby_remaining_total():
            self.tables.on_standbys_ready()

    def _set_recovery_started(self) -> None:
        # Cleared here and not on every turn: an end signalled before anybody waits would be lost.
        self.signal_recovery_end.clear()
        super()._set_recovery_started()

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        if title == "active":
            await self.app.engine.fence(set(tps))
        await super()._build_highwaters(consumer, tps, destination, title)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        await self.app.engine.restored(generation_id)
        await super().on_recovery_completed(generation_id)
        if self.app.consumer_generation_id == generation_id:
            await self.app.consumer.stop_fetching(self.active_tps - self.standby_tps)
            self.app.engine.rebalance_ended()

    @Service.task  # type: ignore[untyped-decorator]
    async def _slurp_changelogs(self) -> None:
        while not self.should_stop:
            await self.sleep(1.0)
            self.app.engine.restoring(self.active_remaining_total())
            self.end_if_done()


class StateTables(TableManager):  # type: ignore[misc]
    """Faust's table manager with batch recovery."""

    _recovery: BatchRecovery | None

    @property
    def recovery(self) -> BatchRecovery:
        if self._recovery is None:
            self._recovery = BatchRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        # The stock one sleeps a second first; one turn of the loop lets the agents subscribe.
        await asyncio.sleep(0)
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
