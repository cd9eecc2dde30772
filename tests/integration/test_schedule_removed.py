"""What is gone from the code is gone from the cluster, and an older worker does not bring it back."""

from pathlib import Path

from tests.integration.scheduling import cursor, lines, scheduling, scheduling_worker, ticks
from tests.waiting import until

KEPT, GONE = {"kept": {"every": 1}}, {"gone": {"every": 1}}


async def test_removed_and_not_brought_back(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, {**KEPT, **GONE}, release="9"):
        await until(lambda: ticks(tmp_path, "gone") and ticks(tmp_path, "kept"))
    async with scheduling(broker, app_id, tmp_path, KEPT, release="10"):
        await until(lambda: lines(tmp_path, "schedule_removed"))
    assert await cursor(broker, app_id, "gone") is None
    assert await cursor(broker, app_id, "kept") is not None
    before = len(ticks(tmp_path, "gone"))
    old = scheduling_worker(
        broker, app_id, tmp_path, {"gone": {"every": 1}, "kept": {"hour": 3}}, release="9"
    )
    try:
        await old.start()
        kept = len(ticks(tmp_path, "kept"))
        # It fires what the newer release announced, as that said it, and nothing else.
        await until(lambda: len(ticks(tmp_path, "kept")) >= kept + 3)
        warned = {line["key"] for line in lines(tmp_path, "announced_by_a_higher_release")}
        assert warned == {"schedule/gone", "schedule/kept", "task/slow", "task/tick"}
    finally:
        await old.stop()
    assert len(ticks(tmp_path, "gone")) == before
    assert await cursor(broker, app_id, "gone") is None


async def test_a_changed_expression_moves_the_next_time(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, {"moved": {"month": 1}}):
        await until(lambda: lines(tmp_path, "schedule_added"))
        assert not ticks(tmp_path, "moved")
    async with scheduling(broker, app_id, tmp_path, {"moved": {"every": 1}}):
        await until(lambda: len(ticks(tmp_path, "moved")) >= 2)
