"""Jobs over the rate of their task wait in their order: near ones in memory, far ones in the retry topic."""

from pathlib import Path

from tests.integration.flows import queue_of
from tests.integration.observing import jobs_state, notes, observing

JOBS = 18
WINDOW_SECONDS = 0.95  # between what handlers see lies less than between their starts


async def test_jobs_over_the_rate_wait(broker: str, app_id: str, tmp_path: Path) -> None:
    async with observing(broker, app_id, tmp_path, "paced"), queue_of(broker, app_id) as queue:
        handles = [await queue.enqueue("slow", number=number) for number in range(JOBS)]
        for handle in handles:
            await handle.result(timeout=60)
    started = [note.at for note in notes(tmp_path, "started", task="slow")]
    assert len(started) == JOBS
    assert all(later - first >= WINDOW_SECONDS for first, later in zip(started, started[5:], strict=False))
    assert [note.facts["number"] for note in notes(tmp_path, task="slow")] == list(range(JOBS))
    written = (await jobs_state(broker, app_id)).written
    assert any(record.document["task"] == "slow" for _, _, record in written), "the far ones were parked"
