import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from consumers import Discard, Fail, Retry, task
from consumers.engine.execution import Execution
from consumers.engine.group import TooLargeToKeep
from consumers.errors import OutputFailed
from consumers.outcomes import COMPLETED, Cancelled, Completed, DeadLettered, Discarded, Expired, RetryLater
from consumers.registry import Registry, using
from schemas.deadletter import Reason
from tests.unit.consumers.engine.kit import Telemetry
from tests.unit.consumers.engine.orders import NOW_MS, a_job
from tests.waiting import until


class Sending:
    def __init__(self):
        self.error = None

    async def check(self, outputs):
        if self.error is not None:
            raise self.error


class Partition:
    def __init__(self):
        self.decisions = []
        self.settlement = self
        self.remembered = []
        self.error = None

    def finished(self, job, decision):
        self.decisions.append(decision)

    async def remember(self, jobs):
        if self.error is not None:
            raise self.error
        self.remembered += jobs


@asynccontextmanager
async def executing(function, **options):
    """One task, and a way to run a job of it to its decision."""
    registry = Registry()
    with using(registry):
        made = task(on="a.b", topic="t", name="notify", **options)(function)
    execution = Execution(
        registry=registry,
        telemetry=Telemetry(),
        sending=Sending(),
        state={},
        now_ms=lambda: NOW_MS,
        threads=1,
        chance=lambda: 0.5,
    )
    execution.made = made  # type: ignore[attr-defined]
    try:
        yield execution
    finally:
        execution.close()


def start(execution, **more):
    job = a_job(task=execution.made, partition=Partition(), **more)
    job.runner = asyncio.create_task(execution.attempt(job))
    return job


async def outcome(execution, **more):
    job = start(execution, **more)
    await job.runner
    (decision,) = job.partition.decisions
    return decision


async def test_what_a_handler_returns_is_its_result():
    async def handler(ctx, event):
        return {"got": event}

    async with executing(handler) as execution:
        job = start(execution, payload="p")
        await job.runner
        assert job.partition.decisions == [Completed({"got": "p"})]
        assert job.started_ms == NOW_MS
        assert job.duration_seconds is not None


async def test_a_handler_that_returns_nothing_completed():
    async def handler(ctx, event):
        pass

    async with executing(handler) as execution:
        assert await outcome(execution) is COMPLETED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), RetryLater),
        (Retry(defer=5), RetryLater),
        (Fail("no"), DeadLettered),
        (Discard("no"), Discarded),
        (SystemExit(3), RetryLater),
        (KeyboardInterrupt(), RetryLater),
        (GeneratorExit(), RetryLater),
        (BaseExceptionGroup("many", [KeyboardInterrupt()]), RetryLater),
    ],
)
async def test_whatever_a_handler_raises_becomes_its_outcome(error, kind):
    async def handler(ctx, event):
        raise error

    async with executing(handler) as execution:
        assert type(await outcome(execution)) is kind


async def test_the_last_try_is_the_last():
    async def handler(ctx, event):
        raise ValueError

    async with executing(handler, max_tries=3) as execution:
        assert (await outcome(execution, attempt=3)).reason is Reason.EXHAUSTED


async def test_a_cancelled_error_nobody_sent_is_a_failure():
    async def handler(ctx, event):
        raise asyncio.CancelledError

    async with executing(handler) as execution:
        decision = await outcome(execution)
        assert isinstance(decision, RetryLater)
        assert "nobody sent it" in decision.failure.message


async def test_a_cancelled_worker_cancels_its_attempt_without_an_outcome():
    async with executing(_waits) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.runner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job.runner
        assert job.partition.decisions == []


async def _waits(ctx, event):
    await asyncio.Event().wait()


async def test_an_attempt_that_is_stopped_for_its_timeout_failed():
    async with executing(_waits, timeout=3) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.timed_out = True
        execution.stop(job)
        await job.runner
        (decision,) = job.partition.decisions
        assert decision.failure.type.endswith("TaskTimeout")
        assert "timeout=3.0 s" in decision.failure.message
        assert not job.runner.cancelling()  # the runner goes on with the next job


async def test_an_interrupted_attempt_is_none():
    async with executing(_waits) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.interrupted = True
        execution.stop(job)
        await job.runner
        assert job.partition.decisions == []
        assert ("abandoned", (job,)) in execution._telemetry.heard


async def test_a_handler_that_turns_its_interruption_into_another_error_is_interrupted_all_the_same():
    async def handler(ctx, event):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError from None

    async with executing(handler) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.interrupted = True
        execution.stop(job)
        await job.runner
        assert job.partition.decisions == []
        assert not job.runner.cancelling()


async def test_a_handler_that_turns_its_timeout_into_another_error_leaves_its_runner_usable():
    async def handler(ctx, event):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError from None

    async with executing(handler) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.timed_out = True
        execution.stop(job)
        await job.runner
        assert isinstance(job.partition.decisions[0], RetryLater)
        assert not job.runner.cancelling()


async def test_a_handler_that_swallows_its_timeout_timed_out():
    async def handler(ctx, event):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"

    async with executing(handler) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.timed_out = True
        execution.stop(job)
        await job.runner
        assert isinstance(job.partition.decisions[0], RetryLater)
        assert not job.runner.cancelling()


async def test_an_overdue_thread_is_not_cancelled_but_its_attempt_failed():
    gate = threading.Event()

    def handler(ctx, event):
        gate.wait(10)

    async with executing(handler) as execution:
        job = start(execution)
        await until(lambda: execution._pool._threads, within_seconds=5)
        job.timed_out = True
        execution.stop(job)
        assert not job.runner.cancelling()
        gate.set()
        await job.runner
        assert "TaskTimeout" in job.partition.decisions[0].failure.type


async def test_a_passed_deadline_is_no_attempt():
    calls = []

    async def handler(ctx, event):
        calls.append(event)

    async with executing(handler) as execution:
        job = start(execution, deadline_ms=NOW_MS - 1500, attempt=2)
        await job.runner
        (decision,) = job.partition.decisions
        assert isinstance(decision, Expired)
        assert "1.5 s before" in decision.failure.message
        assert (job.attempt, calls) == (1, [])
        assert isinstance(await outcome(execution, deadline_ms=NOW_MS), Completed)


async def test_outputs_for_a_topic_that_is_not_there_fail_the_attempt():
    async def handler(ctx, event):
        await ctx.enqueue("other")

    async with executing(handler) as execution:
        execution._sending.error = OutputFailed("topic 'x' does not exist")
        decision = await outcome(execution)
        assert isinstance(decision, RetryLater)
        assert "does not exist" in decision.failure.message


async def test_outputs_of_an_attempt_before_are_forgotten():
    async def handler(ctx, event):
        pass

    async with executing(handler) as execution:
        job = start(execution, outputs=["old"])
        await job.runner
        assert job.outputs is None


async def test_a_step_is_remembered_before_the_handler_goes_on():
    async def handler(ctx, event):
        return await ctx.step("one", lambda: 5)

    async with executing(handler) as execution:
        job = start(execution)
        await job.runner
        assert job.partition.decisions == [Completed(5)]
        assert job.partition.remembered == [job]


async def test_a_step_too_large_to_keep_is_refused():
    async def handler(ctx, event):
        return await ctx.step("one", lambda: 5)

    async with executing(handler) as execution:
        job = a_job(task=execution.made, partition=Partition())
        job.partition.error = TooLargeToKeep(job, 9, 8, None)
        job.runner = asyncio.create_task(execution.attempt(job))
        await job.runner
        assert "step 'one' cannot be kept" in job.partition.decisions[0].failure.message


async def test_an_attempt_stopped_twice_leaves_its_runner_usable():
    async with executing(_waits) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.timed_out = True
        execution.stop(job)
        job.interrupted = True  # its partition goes away at the same moment
        execution.stop(job)
        await job.runner
        assert job.partition.decisions == []
        assert not job.runner.cancelling()


async def test_a_handler_that_swallows_its_cancellation_is_cancelled_all_the_same():
    async def handler(ctx, event):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "tidied up"

    async with executing(handler) as execution:
        job = start(execution)
        await asyncio.sleep(0)
        job.cancel_reason = "enough"
        execution.stop(job)
        await job.runner
        assert job.partition.decisions == [Cancelled("enough")]
        assert job.runner.cancelling() == 0


async def test_a_cancellation_that_comes_too_late_does_not_meet_the_next_job():
    async def handler(ctx, event):
        job.cancel_reason = "enough"
        execution.stop(job)
        return "done"  # without another wait

    async def two():
        await execution.attempt(job)
        await asyncio.sleep(0)  # would raise
        return "went on"

    async with executing(handler) as execution:
        job = a_job(task=execution.made, partition=Partition())
        job.runner = asyncio.create_task(two())
        assert await job.runner == "went on"
        assert job.partition.decisions == [Completed("done")]


async def test_progress_is_kept_as_json_can_hold_it():
    async def handler(ctx, event):
        ctx.progress(1 << 80, None, "x" * 500)

    async with executing(handler) as execution:
        job = start(execution)
        await job.runner
        assert job.progress == {"done": float(1 << 80), "total": None, "note": "x" * 200, "at_ms": NOW_MS}
        assert job.progress_is_new
