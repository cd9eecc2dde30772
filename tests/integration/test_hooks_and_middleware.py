"""`on_startup` before the first job, `on_shutdown` after the last, middleware around every attempt."""

from pathlib import Path

import orjson

from tests.integration.observing import event, job_of, observed_worker
from tests.integration.steering import ledger_of, letters_of, publish_spread, running
from tests.waiting import until

AROUND = ["outer-in", "inner-in", "ran", "outer-out"]


async def test_everything_runs_in_its_place(broker: str, app_id: str, tmp_path: Path) -> None:
    events = [event("hook.happened", "good"), event("hook.happened", "bad", refuse=True)]
    worker = observed_worker(broker, app_id, tmp_path, "hooked")
    async with running(worker):
        await publish_spread(broker, app_id, events)

        async def all_finished() -> bool:
            return len(await ledger_of(broker, app_id)) == 4

        await until(all_finished, within_seconds=60)
    assert worker.process is not None
    assert worker.process.returncode == 0
    lines = [orjson.loads(line) for line in (tmp_path / "raw.log").read_bytes().splitlines()]
    assert [line["what"] for line in lines[:2]] == ["connect", "warm_up"]
    assert [line["what"] for line in lines[-2:]] == ["breaks", "disconnect"], "last opened, first closed"
    assert lines[-1]["connection"] == "open"
    ledger = await ledger_of(broker, app_id)
    for task, result in (("in_loop", "async"), ("in_thread", "thread")):
        good, bad = job_of(task, "good"), job_of(task, "bad")
        assert [line["what"] for line in lines if line.get("job_id") == good] == AROUND
        assert [line["what"] for line in lines if line.get("job_id") == bad] == [*AROUND[:2], AROUND[3]]
        assert ledger[good][0].document["result"] == {"from": task, "result": result}
        assert ledger[bad][0].document["state"] == "failed"
    assert {line["seen"] for line in lines if line["what"] == "ran"} == {"open"}
    letters = await letters_of(broker, app_id)
    assert {letter["headrace-exception-message"] for letter in letters} == {"the middleware says no"}
