"""While a run has not ended, `overlap` decides about the times that come."""

from pathlib import Path

from tests.integration.observing import Note, notes
from tests.integration.scheduling import lines, scheduling
from tests.waiting import until

SCHEDULES = {
    "skips": {"every": 1, "overlap": "skip", "slow": True},
    "queues": {"every": 1, "overlap": "queue", "missed": "all", "slow": True},
    "allows": {"every": 1, "overlap": "allow", "slow": True},
}


async def test_skip_queue_and_allow(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, SCHEDULES):
        await until(lambda: len(skips(tmp_path)) >= 3 and len(began(tmp_path, "allows")) >= 3)
        assert len(began(tmp_path, "skips")) == 1
        assert len(began(tmp_path, "queues")) == 1
        (tmp_path / "may_end").touch()
        await until(lambda: len(began(tmp_path, "queues")) >= 4 and len(began(tmp_path, "skips")) >= 2)
    queued = [note.facts["scheduled_ms"] for note in began(tmp_path, "queues")]
    assert queued == list(range(queued[0], queued[-1] + 1, 1000)), "every time waited for its turn"
    order = [note.what for note in notes(tmp_path) if note.facts["name"] == "queues"]
    assert order[: 2 * (len(order) // 2)] == ["began", "ended"] * (len(order) // 2), "one at a time"


def began(folder: Path, name: str) -> list[Note]:
    return [note for note in notes(folder, "began") if note.facts["name"] == name]


def skips(folder: Path) -> list[object]:
    found = [line for line in lines(folder, "schedule_skipped") if line["schedule"] == "skips"]
    assert all(line["why"].startswith("overlap") for line in found)
    return list(found)
