"""What consumers/engine/recovery.py overrides or reaches into."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP

from consumers.engine.app import new_app
from consumers.engine.recovery import BatchRecovery, StateTables
from consumers.settings import WorkerSettings
from tests.contract.stock import Stock

stock = Stock("consumers/engine/recovery.py")


class Data:
    """The store of a table."""

    def __init__(self) -> None:
        self.restored: list[tuple[int, list[Any]]] = []

    def restore(self, partition: int, records: list[Any]) -> None:
        self.restored.append((partition, records))


@pytest.fixture
def tables(tmp_path: Path) -> StateTables:
    app = new_app(WorkerSettings(state_dir=tmp_path), engine=SimpleNamespace())
    tables: StateTables = app.tables
    return tables


def test_the_state_we_read_is_there() -> None:
    stock.sets(Recovery, "active_tps", "standby_tps", "active_offsets", "standby_offsets", "tp_to_table")
    stock.has(
        Recovery, "in_recovery", "signal_recovery_end", "active_remaining_total", "standby_remaining_total"
    )
    stock.says(Recovery._set_recovery_started, "self.in_recovery = True")
    stock.says(Recovery._set_recovery_ended, "self.in_recovery = False")


def test_end_offsets_are_taken_after_recovery_started_and_before_it_reads() -> None:
    stock.takes(Recovery._build_highwaters, "consumer", "tps", "destination", "title")
    stock.says(
        Recovery._restart_recovery.fun,
        "self._set_recovery_started()",
        'T(self._build_highwaters)(consumer, assigned_active_tps, active_highwaters, "active")',
        "T(self._build_offsets)(",
        "T(self._seek_offsets)(",
        "if self.need_recovery():",
        "await self._wait(self.signal_recovery_end.wait())",
        "on_recovery_completed)(",
    )
    stock.says(Recovery._build_highwaters, "value - 1 if value is not None else -1")


def test_completion_seeks_before_it_lets_streams_flow() -> None:
    stock.takes(Recovery.on_recovery_completed, "generation_id")
    stock.says(
        Recovery.on_recovery_completed,
        "if self.app.consumer_generation_id != generation_id:",
        "consumer.perform_seek()",
        "consumer.resume_flow()",
    )


def test_our_changelog_task_replaces_the_stock_one() -> None:
    names = [task for tasks in (BatchRecovery._tasks or {}).values() for task in tasks]
    stock.holds("_slurp_changelogs" in names, "Recovery has no task _slurp_changelogs any more")
    stock.holds(
        BatchRecovery._slurp_changelogs is not Recovery._slurp_changelogs, "both tasks would read changelogs"
    )


def test_the_table_manager_starts_as_ours_does() -> None:
    stock.has(TableManager, "_recovery", "on_standbys_ready")
    stock.sets(TableManager, "standbys_ready")
    stock.takes(TableManager._update_channels)
    stock.says(
        TableManager.on_start,
        "await self.sleep(1.0)",
        "if not self.should_stop:",
        "await self._update_channels()",
        "await self.recovery.start()",
    )
    stock.says(TableManager.recovery.fget, "if self._recovery is None:", "self._recovery = Recovery(")


async def test_recovery_ends_with_the_last_record(tables: StateTables) -> None:
    recovery, tp, data = tables.recovery, TP("t", 1), Data()
    recovery.active_tps.add(tp)
    recovery.tp_to_table[tp] = SimpleNamespace(data=data)
    recovery.active_highwaters[tp], recovery.active_offsets[tp] = 5, -1
    recovery._set_recovery_started()
    for offsets, ended in ((range(5), False), (range(5, 6), True)):
        records = [SimpleNamespace(offset=offset) for offset in offsets]
        recovery.restore(tp, records)
        stock.holds(recovery.in_recovery is not ended, f"after {records[-1]} in_recovery is wrong")
        stock.holds(recovery.signal_recovery_end.is_set() is ended, f"the end is wrong after {records[-1]}")
        stock.holds(data.restored[-1] == (1, records), "records do not reach the store")


async def test_an_end_before_anybody_waits_is_not_lost_and_not_kept(tables: StateTables) -> None:
    recovery = tables.recovery
    recovery.signal_recovery_end.set()
    recovery._set_recovery_started()
    stock.holds(not recovery.signal_recovery_end.is_set(), "an old end would end a new recovery")
