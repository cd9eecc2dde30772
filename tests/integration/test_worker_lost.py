"""A job that kills its worker is given up after its tries; those that ran beside it finish."""

import asyncio
import signal
from pathlib import Path

from tests.integration.observing import (
    event,
    events_state,
    job_of,
    notes,
    observed_worker,
    publish,
    topic_of,
)
from tests.waiting import until

NEIGHBOURS = [f"neighbour {number}" for number in range(6)]
MOST_DEATHS = 4  # one before anything was suspected, then one for each of its two tries, and one to spare


async def test_a_job_that_kills_its_worker_becomes_a_dead_letter(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    lost, good = job_of("killer", "killer"), [job_of("neighbour", id) for id in NEIGHBOURS]
    settings = {"instance_id": app_id, "session_timeout_seconds": 6}
    worker = observed_worker(broker, app_id, tmp_path, "deadly", **settings)

    async def all_finished() -> bool:
        assert worker.process is not None
        if worker.process.returncode is not None:
            assert worker.process.returncode == -signal.SIGKILL
            deaths.append(worker.process.pid)
            assert len(deaths) <= MOST_DEATHS, "it goes on killing"
            await worker.launch()
        await asyncio.sleep(0.1)
        return (await events_state(broker, app_id)).finished.keys() >= {lost, *good}

    deaths: list[int] = []
    try:
        await worker.start()
        events = [event("deadly.neighbour", id) for id in NEIGHBOURS]
        events.insert(3, event("deadly.killer", "killer"))
        await publish(broker, topic_of(app_id), *events)
        await until(all_finished, within_seconds=120)
        await publish(broker, topic_of(app_id), event("deadly.later", "later"))
        await until(lambda: notes(tmp_path, task="later"), within_seconds=30, saying="work goes on")
    finally:
        await worker.stop()
    state = await events_state(broker, app_id)
    (letter,) = state.letters[lost]
    assert letter["headrace-reason"] == "worker_lost"
    assert letter["headrace-attempts"] == "2"
    assert state.letters.keys() == {lost}
    assert state.outcome(lost) == "failed"
    assert {state.outcome(job_id) for job_id in good} == {"completed"}
    assert len(notes(tmp_path, task="killer")) == len(deaths) <= 3
