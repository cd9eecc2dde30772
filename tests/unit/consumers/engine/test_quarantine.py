import asyncio
from contextlib import asynccontextmanager

from consumers.engine import quarantine as module
from consumers.engine.quarantine import PARTS, Quarantine
from tests.unit.consumers.engine.orders import a_job
from tests.waiting import until


@asynccontextmanager
async def opened(jobs):
    started = []

    async def start(group):
        started.append(group)

    quarantine = Quarantine(start)
    for job in jobs:
        quarantine.add(job)
    quarantine.open()
    running = asyncio.create_task(quarantine.run())
    try:
        yield started
    finally:
        running.cancel()


async def turns():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_next_suspects_wait_for_the_end_of_those_before():
    jobs = [a_job(str(number)) for number in range(2 * PARTS)]
    async with opened(jobs) as started:
        await turns()
        assert started == [jobs[:2]]
        jobs[0].ended.set()
        await turns()
        assert len(started) == 1
        jobs[1].ended.set()
        await turns()
        assert started == [jobs[:2], jobs[2:4]]


async def test_suspects_are_marked_before_they_start_and_alone_only_when_they_are():
    jobs = [a_job("1"), a_job("2", suspected=1)]
    async with opened(jobs) as started:
        await turns()
        jobs[0].ended.set()
        await turns()
    assert started == [[jobs[0]], [jobs[1]]]
    assert [(job.suspected, job.alone, job.attempt_is_risky) for job in jobs] == [(1, 1, True), (2, 1, True)]


async def test_suspects_of_one_part_are_not_alone():
    jobs = [a_job(str(number)) for number in range(PARTS + 1)]
    async with opened(jobs) as started:
        await turns()
    assert len(started[0]) == 2
    assert [job.alone for job in started[0]] == [0, 0]


async def test_a_job_that_goes_on_for_long_has_proved_harmless(monkeypatch):
    monkeypatch.setattr(module, "SAFE_AFTER_SECONDS", 0.01)
    jobs = [a_job("1"), a_job("2")]
    async with opened(jobs) as started:
        await until(lambda: len(started) == 2, within_seconds=5)


async def test_nothing_starts_without_suspects():
    async with opened([]) as started:
        await turns()
    assert started == []
