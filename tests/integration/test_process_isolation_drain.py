"""A worker that stops, or is killed, leaves no process behind: not its children, not what they started."""

import os
import signal
from pathlib import Path

from tests.integration.asking import ask
from tests.integration.isolating import alive, descendants, isolating
from tests.integration.observing import jobs_state, notes
from tests.integration.steering import told_to_stop
from tests.waiting import until


async def test_an_orderly_stop_leaves_no_process_and_costs_no_attempt(
    broker: str, app_id: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    async with isolating(broker, app_id, tmp_path, drain_seconds=1) as (worker, queue):
        idle = await ask(queue, "echo")
        await idle.result(timeout=60)
        deaf = await ask(queue, "wait", gate=str(gate), deaf=True, child=True)
        await until(lambda: len(notes(tmp_path, "started")) == 2, within_seconds=60)
        third = await ask(queue, "echo")  # the second child is up and idle at the stop
        await third.result(timeout=60)
        assert worker.process is not None
        family = descendants(worker.process.pid)
        assert len(family) >= 3, "two children and a grandchild"
        for pid in family:  # as a service manager does that ends all of them at once
            if pid != notes(tmp_path, "grandchild")[0].facts["grandchild"]:
                os.kill(pid, signal.SIGTERM)
        assert await told_to_stop(worker) == 0
        await until(lambda: not any(map(alive, family)), within_seconds=10, saying="none is left")
        assert len(notes(tmp_path, "shut_down")) >= 2, "in the worker and in its idle child"
        gate.touch()
        await worker.start()
        assert await deaf.result(timeout=60) == "through"
    assert (await jobs_state(broker, app_id)).attempts(deaf.job_id) == 1


async def test_a_killed_worker_takes_its_children_along(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with isolating(broker, app_id, tmp_path, session_timeout_seconds=6, instance_id=app_id) as (
        worker,
        queue,
    ):
        job = await ask(queue, "wait", gate=str(gate), deaf=True, child=True)
        await until(lambda: notes(tmp_path, "started"), within_seconds=60)
        assert worker.process is not None
        family = descendants(worker.process.pid)
        await worker.kill()
        await until(lambda: not any(map(alive, family)), within_seconds=10, saying="none is left")
        gate.touch()
        await worker.start()
        assert await job.result(timeout=60) == "through"
