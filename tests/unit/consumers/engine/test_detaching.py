"""A job that runs long lets its offset go once it is remembered; one that ends meanwhile keeps it."""

import asyncio

import pytest

from consumers.engine.assembly import Assembly
from tests.unit.consumers.engine.whole import whole
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("batches_in_memory")


async def test_a_long_job_lets_go_of_its_offset_once_it_is_remembered():
    async with whole() as world:
        job = await world.enqueue("j")
        await until(lambda: world.ran)
        assert world.tracker.watermark == 0
        await Assembly._detach(job, world.partition)
        assert world.tracker.watermark == 1
        assert world.parked("j").document["state"] == "running"


async def test_a_job_that_ends_while_it_is_detached_keeps_its_offset_until_its_end_is_durable():
    async with whole() as world:
        settlement, may_write, durable = world.partition.settlement, asyncio.Event(), asyncio.Event()
        append = world.ledger.append

        async def slowly(changes):
            await durable.wait()
            return await append(changes)

        settlement._may_write, world.ledger.append = may_write.wait, slowly
        job = await world.enqueue("j")
        await until(lambda: world.ran)
        detaching = asyncio.create_task(Assembly._detach(job, world.partition))
        await asyncio.sleep(0)
        await until(lambda: not settlement._running)  # a group has begun without the end of the job
        world.gate.set()
        await until(lambda: job.settling)
        may_write.set()
        await asyncio.wait_for(detaching, 5)
        assert world.parked("j") is None, "that it runs is no news once it has ended"
        assert world.tracker.watermark == 0
        durable.set()
        await until(lambda: world.tracker.watermark == 1)
        assert world.state("j") == "completed"
