"""`max_jobs` of a task bounds it, whatever else runs; HEADRACE_MAX_JOBS bounds the worker."""

from pathlib import Path

from tests.integration.observing import Note, notes
from tests.integration.steering import asks, publish_spread, running, steered, until_finished


def most_at_once(lines: list[Note]) -> int:
    level = most = 0
    for note in lines:
        level += {"started": 1, "ended": -1}.get(note.what, 0)
        most = max(most, level)
    return most


async def test_a_task_and_a_worker_keep_their_bounds(broker: str, app_id: str, tmp_path: Path) -> None:
    limited = asks(24, "steer.limited", name="limited", seconds=0.05, failures=1, defer=0.2)
    loose = asks(24, name="loose", seconds=0.05)
    together = [event for pair in zip(limited, loose, strict=True) for event in pair]
    async with running(steered(broker, app_id, tmp_path, max_jobs=6)):
        await publish_spread(broker, app_id, together)
        await until_finished(broker, app_id, together)
    assert most_at_once(notes(tmp_path, task="limited")) == 2
    assert most_at_once(notes(tmp_path)) <= 6
