import asyncio

from events.status.waiting import Waiting


async def test_who_waits_for_a_job_is_woken_by_its_change_only() -> None:
    waiting = Waiting(dict)
    with waiting.for_job("a") as changed:
        task = asyncio.create_task(changed(30))
        await asyncio.sleep(0)
        waiting.progressed({"b"})
        await asyncio.sleep(0)
        assert not task.done()
        waiting.progressed({"a", "b"})
        await task
        waiting.progressed({"a"})
        await changed(30)  # what came between two looks is not lost
        await changed(0)
        waiting.progressed(None)  # nobody knows which changed
        await changed(30)
    assert not waiting.any


async def test_places_are_reached_when_all_are() -> None:
    positions = {("t", 0): 1}
    waiting = Waiting(lambda: positions)
    assert await waiting.reached({("t", 0): 1}, 30)
    assert not await waiting.reached({("t", 0): 2}, 0)
    task = asyncio.create_task(waiting.reached({("t", 0): 2, ("u", 1): 5}, 30))
    await asyncio.sleep(0)
    positions[("t", 0)] = 2
    waiting.progressed(set())
    await asyncio.sleep(0)
    assert not task.done()
    positions[("u", 1)] = 6
    waiting.progressed(set())
    assert await task
    assert not waiting.any
