"""Attempts in real child processes, and all the ways they end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from consumers.engine.execution import Execution
from consumers.isolation.messages import Boot
from consumers.loading import load
from consumers.outcomes import Cancelled, Completed, DeadLettered, RetryLater
from consumers.registry import Registry, using
from schemas.deadletter import Reason
from tests.unit.consumers.engine.kit import Telemetry
from tests.unit.consumers.engine.orders import NOW_MS, a_job
from tests.unit.consumers.engine.test_execution import Partition, Sending
from tests.waiting import until

MODULES = ("tests.unit.consumers.isolation.handlers",)
_registry = Registry()


def registry() -> Registry:
    if not _registry.tasks:
        with using(_registry):
            load(MODULES)
    return _registry


@pytest.fixture
async def execution() -> AsyncIterator[Execution]:
    made = make()
    yield made
    pids = made.processes.pids
    await made.processes.end()
    made.close()
    await until(lambda: not any(map(alive, pids)), within_seconds=10, saying="no child is left")


def make(processes: int = 1, grace: float = 0.3) -> Execution:
    return Execution(
        registry=registry(),
        telemetry=Telemetry(),
        sending=Sending(),
        state={},
        now_ms=lambda: NOW_MS,
        threads=1,
        chance=lambda: 0.5,
        processes=processes,
        process_grace_seconds=grace,
        boot=Boot(MODULES),
    )


def start(execution, name, **args):
    job = a_job(task=registry().tasks[name], partition=Partition(), args=args)
    job.runner = asyncio.create_task(execution.attempt(job))
    return job


async def outcome(execution, name, *, attempt=1, **args):
    job = start(execution, name, **args)
    job.attempt = attempt
    await job.runner
    (decision,) = job.partition.decisions
    return decision


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


async def test_a_handler_runs_in_another_process_that_is_kept(execution):
    first = (await outcome(execution, "tell", value=[1])).result
    second = (await outcome(execution, "tell")).result
    assert first == {
        "pid": execution.processes.pids[0],
        "job_id": "j1",
        "attempt": 1,
        "event": "e1",
        "key": "k",
        "prepared": 1,
        "value": [1],
    }
    assert second["pid"] == first["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("segfault", "consumers.errors.WorkerLost", "SIGSEGV"),
        ("exit", "consumers.errors.WorkerLost", "ended"),
        ("sys.exit", "SystemExit", "3"),
        ("awkward", "tests.unit.consumers.isolation.awkward.Awkward", "no good"),
        ("stop iteration", "StopIteration", "odd"),
        ("retry", "consumers.verdicts.Retry", "later"),
    ],
)
async def test_what_goes_wrong_in_a_child_is_told(execution, how, kind, said):
    decision = await outcome(execution, "end", how=how)
    assert isinstance(decision, RetryLater)
    assert decision.failure.type == kind
    assert said in decision.failure.message
    if how == "awkward":
        assert 'raise Awkward("no good", "because")' in decision.failure.stack
    if how == "retry":
        assert decision.due_ms == NOW_MS + 7000
    assert (await outcome(execution, "tell")).result["job_id"] == "j1", "the next one runs"


async def test_a_class_nobody_can_import_is_still_known_by_its_base(execution):
    decision = await outcome(execution, "end", how="local")
    assert isinstance(decision, DeadLettered)
    assert decision.reason is Reason.FAILED, "fail_on=KeyError"
    assert decision.failure.type.endswith("Local")


async def test_a_child_that_dies_in_the_last_try_is_a_lost_worker(execution):
    decision = await outcome(execution, "end", attempt=2, how="segfault")
    assert isinstance(decision, DeadLettered)
    assert decision.reason is Reason.WORKER_LOST


async def test_a_result_that_is_no_json_stays_none(execution):
    decision = await outcome(execution, "end", how="no json")
    assert isinstance(decision, Completed)
    assert type(decision.result).__qualname__ == "function"


async def test_memory_has_a_limit_and_the_child_is_replaced(execution):
    small = await outcome(execution, "grow", megabytes=50)
    assert isinstance(small, Completed)
    large = await outcome(execution, "grow", megabytes=400)
    assert large.failure.type == "MemoryError"
    again = await outcome(execution, "grow", megabytes=50)
    assert again.result != small.result


async def overdue(execution, name, **args):
    job = start(execution, name, **args)
    await until(lambda: execution.processes._working.get(job) and job in execution.processes._working)
    await until(lambda: execution.processes._working[job].job is job)
    await asyncio.sleep(0.1)
    return job


async def test_an_overdue_handler_is_interrupted_where_it_is(execution):
    job = await overdue(execution, "hang")
    pids = execution.processes.pids
    job.timed_out = True
    execution.stop(job)
    await job.runner
    (decision,) = job.partition.decisions
    assert decision.failure.type == "consumers.errors.TaskTimeout"
    assert "time.sleep(30)" in decision.failure.stack
    assert execution.processes.pids == pids, "the child lives on"


async def test_one_that_does_not_listen_is_killed(execution):
    job = await overdue(execution, "hang", deaf=True)
    (pid,) = execution.processes.pids
    job.timed_out = True
    execution.stop(job)
    await job.runner
    (decision,) = job.partition.decisions
    assert decision.failure.type == "consumers.errors.TaskTimeout"
    assert "killed" in decision.failure.message
    await until(lambda: not alive(pid))
    assert (await outcome(execution, "tell")).result["pid"] != pid


async def test_one_that_swallows_its_timeout_was_overdue_all_the_same(execution):
    job = await overdue(execution, "hang", swallows=True)
    job.timed_out = True
    execution.stop(job)
    await job.runner
    (decision,) = job.partition.decisions
    assert isinstance(decision, RetryLater)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_cancelled_job_is_cancelled(execution, deaf):
    job = await overdue(execution, "hang", deaf=deaf)
    job.cancel_reason = "enough"
    execution.stop(job)
    await job.runner
    assert job.partition.decisions == [Cancelled("enough")]


async def test_an_interrupted_attempt_does_not_count(execution):
    job = await overdue(execution, "hang", deaf=True)
    job.interrupted = True
    execution.stop(job)
    await job.runner
    assert job.partition.decisions == []


async def test_a_job_waits_for_a_free_child_without_its_clock_running(execution):
    first = await overdue(execution, "hang", deaf=True)
    second = start(execution, "tell")
    third = start(execution, "tell")
    await until(lambda: len(execution.processes._waiting) == 2)
    for job in (second, third):
        job.timed_out = True
        execution.stop(job)
        assert not job.timed_out
    third.cancel_reason = "enough"
    execution.stop(third)
    await third.runner
    assert third.partition.decisions == [Cancelled("enough")]
    first.timed_out = True
    execution.stop(first)
    await second.runner
    assert isinstance(second.partition.decisions[0], Completed)
    await first.runner


async def test_neighbours_in_other_children_finish():
    execution = make(processes=2)
    try:
        job = await overdue(execution, "hang", deaf=True)
        assert isinstance(await outcome(execution, "end", how="segfault"), RetryLater)
        assert isinstance(await outcome(execution, "tell"), Completed)
        assert not job.runner.done()
        job.interrupted = True
        execution.stop(job)
        await job.runner
    finally:
        await execution.processes.end()
        execution.close()


async def test_a_child_that_is_killed_while_idle_is_replaced(execution):
    first = (await outcome(execution, "tell")).result
    os.kill(first["pid"], signal.SIGKILL)
    await until(lambda: execution.processes.pids == [])
    assert (await outcome(execution, "tell")).result["pid"] != first["pid"]


async def test_what_a_handler_sends_arrives(execution):
    job = start(execution, "send")
    await job.runner
    (decision,) = job.partition.decisions
    third, fourth, first, second = decision.result
    assert (first, second) == ({"one": 1}, 2)
    assert job.steps == {"first": {"one": 1}, "second": 2}
    assert job.partition.remembered == [job, job]
    assert [output.event.job_id for output in job.outputs] == [third, fourth]
    assert job.outputs.next_id(job.id, "job tell") not in (third, fourth)
    assert job.progress["note"] == "half"


async def test_a_child_that_cannot_start_says_why():
    execution = make()
    execution.processes._boot = Boot(("tests.unit.consumers.isolation.no_such_module",))
    try:
        decision = await outcome(execution, "tell")
        assert isinstance(decision, RetryLater)
        assert "no_such_module" in decision.failure.message
    finally:
        await execution.processes.end()
        execution.close()
