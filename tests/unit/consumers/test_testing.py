import asyncio
import datetime as dt

import pytest

from consumers import Context, Fail, Fixed, Retry, task
from consumers.outcomes import DeadLettered, RetryLater
from consumers.registry import Registry, using
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent


class Booked(DomainEvent):
    type = "testing-test.booked"
    topic = "bookings"

    seat: int


@pytest.fixture(autouse=True)
def _registry():
    with using(Registry()):
        yield


async def test_a_fake_records_what_a_handler_sends(headrace_context):
    @task(on=Booked)
    async def book(ctx, event):
        ctx.progress(1, 2)
        await ctx.publish(event)
        ctx.publish(CloudEvent(source="/s", type="t"), topic="other")
        await ctx.enqueue("mail", to="a")
        return await ctx.step("pay", lambda: 5)

    ctx = headrace_context
    assert await book(ctx, Booked(seat=1)) == 5
    assert [event.type for event in ctx.published] == [Booked.type, "t"]
    assert ctx.published_to == ["bookings", "other"]
    assert [(job.task, job.args) for job in ctx.enqueued] == [("mail", {"to": "a"})]
    assert ctx.steps == {"pay": 5}
    assert ctx.progressed == [(1, 2, "")]


def test_a_fake_is_what_it_is_told_to_be():
    deadline = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    ctx = Context.fake(
        event=Booked(seat=2),
        attempt=3,
        job_id="j",
        key="k",
        state={"db": 1},
        steps={"a": 1},
        deadline=deadline,
    )
    assert (ctx.event.type, ctx.event.data) == (Booked.type, {"seat": 2})
    assert (ctx.attempt, ctx.job_id, ctx.key, ctx.state, ctx.deadline) == (3, "j", "k", {"db": 1}, deadline)
    assert ctx.task == "fake"
    assert (ctx.published, ctx.published_to, ctx.enqueued, ctx.progressed) == ([], [], [], [])
    assert not ctx.cancelled
    ctx.cancel()
    assert ctx.cancelled
    ctx.log.info("said", size=1)


def test_a_blocking_task_without_a_loop():
    @task
    def work(ctx):
        async def remote():
            return 2

        return ctx.step("local", lambda: 1), ctx.step("remote", remote)

    assert work(Context.fake()) == (1, 2)


async def test_a_blocking_task_inside_an_async_test():
    @task
    def work(ctx):
        return ctx.step("local", lambda: 1)

    ctx = Context.fake(task=work)
    assert work(ctx) == 1
    assert ctx.task == "work"


@pytest.mark.parametrize("inside_a_loop", [True, False])
def test_a_blocking_step_may_await(inside_a_loop):
    @task
    def work(ctx):
        return ctx.step("slow", asyncio.sleep, 0, 7)

    async def test():
        return work(Context.fake(task=work))

    assert (asyncio.run(test()) if inside_a_loop else work(Context.fake())) == 7


async def test_the_next_attempt_finds_the_kept_steps(headrace_context):
    await headrace_context.step("a", lambda: 1)
    headrace_context.publish(Booked(seat=1))
    following = headrace_context.next_attempt()
    assert (following.attempt, following.steps, following.published) == (2, {"a": 1}, [])
    assert following.clock is headrace_context.clock


def test_the_clock_stands_until_told(headrace_clock, headrace_context):
    assert headrace_clock.now == dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    headrace_clock.advance(90)
    headrace_clock.advance(dt.timedelta(hours=1))
    assert headrace_clock.now == dt.datetime(2030, 1, 1, 1, 1, 30, tzinfo=dt.UTC)
    assert headrace_context.clock is headrace_clock
    assert headrace_context._fake.now_ms() == headrace_clock.now_ms()


def test_it_tells_what_the_worker_would_do(headrace_context, headrace_clock):
    @task(backoff=Fixed(30), max_tries=2)
    async def work(ctx): ...

    retried = headrace_context.outcome_of(work, OSError("gone"))
    assert isinstance(retried, RetryLater)
    headrace_clock.advance(30)
    assert retried.due_ms == headrace_clock.now_ms()
    last = headrace_context.next_attempt()
    assert isinstance(last.outcome_of(work, OSError()), DeadLettered)
    assert isinstance(headrace_context.outcome_of(work, Fail("no")), DeadLettered)
    assert isinstance(headrace_context.outcome_of(work, Retry(defer=5)), RetryLater)


def test_a_scheduled_time_can_be_given() -> None:
    at = dt.datetime(2031, 1, 1, 3, tzinfo=dt.UTC)
    assert Context.fake(scheduled_at=at).next_attempt().scheduled_at == at
    assert Context.fake().scheduled_at is None
