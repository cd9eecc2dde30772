import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from consumers.engine import runners as module
from consumers.engine.runners import Runners
from tests.unit.consumers.engine.orders import a_job, a_task
from tests.waiting import until


class Attempts:
    """Stands in for the execution: a job waits for its gate, if it has one."""

    def __init__(self):
        self.started, self.stopped, self.most = [], [], 0
        self.runner_of = {}
        self.gates = {}
        self._now = 0

    async def attempt(self, job):
        self.started.append(job.id)
        self.runner_of[job.id] = job.runner
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            if job.id in self.gates:
                await self.gates[job.id].wait()
        finally:
            self._now -= 1

    def stop(self, job):
        self.stopped.append(job.id)
        if job.id in self.gates:
            self.gates[job.id].set()

    def hold(self, *ids):
        for id in ids:
            self.gates[id] = asyncio.Event()


@asynccontextmanager
async def running(max_jobs=100, detach_after_seconds=1e9):
    runners = Runners(max_jobs=max_jobs, detach_after_seconds=detach_after_seconds)
    attempts = runners.execution = Attempts()
    runners.lease_until = lambda: time.monotonic() + 100
    runners.detach = lambda job: None
    yield runners, attempts
    for gate in attempts.gates.values():
        gate.set()
    await runners.idle()


async def turns():
    for _ in range(30):
        await asyncio.sleep(0)


def push(runners, *ids, **more):
    jobs = [a_job(id, **more) for id in ids]
    for job in jobs:
        runners.push(job)
    return jobs


async def test_jobs_that_never_wait_share_one_runner():
    async with running() as (runners, attempts):
        push(runners, *"abcdef")
        await turns()
        assert attempts.started == [*"abcdef"]
        assert len(set(attempts.runner_of.values())) == 1
        assert (runners.ready, len(runners.running)) == (0, 0)


async def test_a_job_nobody_else_runs_beside_begins_in_the_next_turn():
    async with running() as (runners, attempts):
        push(runners, "a")
        await asyncio.sleep(0)
        assert attempts.started == ["a"]


async def test_jobs_that_wait_do_not_hold_up_the_others():
    async with running() as (runners, attempts):
        attempts.hold(*"abcd")
        push(runners, *"abcd", "e")
        await turns()
        assert attempts.started == [*"abcde"]
        assert [job.id for job in runners.running] == [*"abcd"]


async def test_never_more_than_max_jobs_at_a_time():
    async with running(max_jobs=2) as (runners, attempts):
        attempts.hold(*"abcde")
        push(runners, *"abcde")
        for id in "abcde":
            await turns()
            assert len(runners.running) <= 2
            attempts.gates[id].set()
        await turns()
        assert (attempts.started, attempts.most) == ([*"abcde"], 2)


async def test_a_task_has_a_limit_of_its_own_and_others_overtake_it():
    task = a_task(max_jobs=1)
    async with running() as (runners, attempts):
        attempts.hold("a", "b")
        push(runners, "a", "b", "c", task=task)
        push(runners, "other")
        await turns()
        assert attempts.started == ["a", "other"]
        attempts.gates["a"].set()
        await turns()
        assert attempts.started == ["a", "other", "b"]
        attempts.gates["b"].set()
        await turns()
        assert attempts.started == ["a", "other", "b", "c"]


async def test_one_that_was_held_back_and_is_not_wanted_any_more_lets_the_next_one_in():
    task = a_task(max_jobs=1)
    async with running() as (runners, attempts):
        attempts.hold("a")
        _, lost, _ = push(runners, "a", "lost", "b", task=task)
        await turns()
        lost.interrupted = True  # its partition went away meanwhile
        attempts.gates["a"].set()
        await turns()
        assert attempts.started == ["a", "b"]


async def test_a_failing_attempt_gives_its_room_back():
    task = a_task(max_jobs=1)
    async with running() as (runners, attempts):
        attempts.hold("a")
        (job,) = push(runners, "a", task=task)
        await turns()
        job.runner.cancel()
        await turns()
        push(runners, "b", task=task)
        await turns()
        assert attempts.started == ["a", "b"]


async def test_an_interrupted_job_never_starts():
    async with running() as (runners, attempts):
        push(runners, "a", interrupted=True)
        push(runners, "b")
        await turns()
        assert attempts.started == ["b"]


async def test_nothing_starts_while_the_lease_is_over(monkeypatch):
    monkeypatch.setattr(module, "LEASE_LOOK_SECONDS", 0.0)
    async with running() as (runners, attempts):
        runners.lease_until = lambda: 0.0
        push(runners, "a", "b", task=a_task(max_jobs=1))
        await turns()
        assert (attempts.started, runners.ready) == ([], 2)
        runners.lease_until = lambda: time.monotonic() + 100
        await until(lambda: attempts.started == ["a", "b"], within_seconds=5)


async def test_what_runs_too_long_is_stopped_once():
    async with running() as (runners, attempts):
        attempts.hold("a", "b")
        (late,) = push(runners, "a", task=a_task(timeout_seconds=0.01))
        push(runners, "b", task=a_task(timeout_seconds=None))
        watching = asyncio.create_task(runners.watch())
        await until(lambda: late.timed_out, within_seconds=5)
        assert attempts.stopped == ["a"]
        watching.cancel()


async def test_what_runs_long_is_detached_once():
    async with running(detach_after_seconds=0.01) as (runners, attempts):
        detached = []
        runners.detach = detached.append
        attempts.hold("a")
        (job,) = push(runners, "a")
        watching = asyncio.create_task(runners.watch())
        await until(lambda: detached, within_seconds=5)
        runners._detach_long(time.monotonic())
        assert detached == [job]
        watching.cancel()


async def test_only_what_runs_for_a_partition_that_went_away_is_stopped():
    async with running() as (runners, attempts):
        attempts.hold("a", "b")
        gone = object()
        push(runners, "a", partition=gone)
        push(runners, "b", partition=object())
        await turns()
        runners.forget(gone)
        assert attempts.stopped == ["a"]


async def test_a_shutdown_interrupts_what_runs_and_starts_nothing_more():
    async with running(max_jobs=1) as (runners, attempts):
        attempts.hold("a")
        job, _ = push(runners, "a", "b")
        await turns()
        runners.stop_all()
        await runners.idle()
        push(runners, "c")
        await turns()
        assert job.interrupted
        assert attempts.started == ["a"]


@pytest.mark.parametrize("count", [300])
async def test_many_jobs_let_the_loop_breathe(count):
    async with running() as (runners, attempts):
        push(runners, *map(str, range(count)))
        await turns()
        assert len(attempts.started) == count


async def test_what_has_been_running_for_a_while_is_shown_and_again_when_there_is_news():
    shown = []
    runners = Runners(max_jobs=10, detach_after_seconds=1e9, show_after_seconds=5)
    runners.show = lambda job: shown.append(job.id)
    old, young = a_job("old", started=10.0), a_job("young", started=18.0)
    runners.running = {old: None, young: None}
    runners._show_long(20.0)
    assert shown == ["old"]
    old.progress_is_new = True
    runners._show_long(20.5)
    assert shown == ["old"], "once a second at most"
    runners._show_long(21.0)
    runners._show_long(22.5)
    assert shown == ["old", "old"], "nothing new is not shown again"
    runners._show_long(23.0)
    assert shown == ["old", "old", "young"]


async def test_a_job_that_was_settled_while_it_was_ready_does_not_run():
    async with running() as (runners, attempts):
        cancelled, other = a_job("cancelled", settling=True), a_job("other")
        runners.push(cancelled)
        runners.push(other)
        await turns()
        assert attempts.started == ["other"]
