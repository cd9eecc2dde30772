"""The steps of a chain run one after the other, each with the result of the one before, and are retried each
for itself."""

from pathlib import Path

from events.workflow import chain, signature
from tests.integration.flows import queue_of
from tests.integration.observing import jobs_state, notes, observing


async def test_a_chain_gives_the_last_result(broker: str, app_id: str, tmp_path: Path) -> None:
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=3),
        queue_of(broker, app_id) as queue,
    ):
        inner = chain(signature("shaky"), signature("add", right=4))
        flow = chain(signature("number", value=1), signature("add", left=2), inner, signature("add", right=5))
        job = await queue.enqueue(flow)
        assert await job.result(timeout=60) == 39
        again = await queue.enqueue(chain(signature("begin_another", value=7)))
        other = queue.job(await again.result(timeout=60))
        assert await other.result(timeout=60) == 8
    state = await jobs_state(broker, app_id)
    assert all(len(records) == 1 for records in state.finished.values()), "nothing ran twice"
    last = state.finished[job.job_id][0].document
    assert (last["root"], last["step"]) == (job.job_id, "4")
    steps = {
        records[0].document["step"]: (records[0].document["task"], records[0].document["attempt"])
        for records in state.finished.values()
        if records[0].document["root"] == job.job_id
    }
    assert steps == {
        "1": ("number", 1),
        "2": ("add", 1),
        "3.1": ("shaky", 2),
        "3.2": ("add", 1),
        "4": ("add", 1),
    }
    assert len(notes(tmp_path, task="shaky")) == 2
