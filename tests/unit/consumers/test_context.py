import asyncio
import datetime as dt
import threading

import pytest

from consumers import Context, Step, task
from consumers.context import Output
from consumers.engine.job import Job
from consumers.errors import InvalidArguments, OutputRefused, StepRefused
from consumers.registry import Registry, using
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent
from schemas.job import derived_id, job_id
from schemas.state import Position, RawRecord

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Landed(DomainEvent):
    type = "context-test.landed"
    topic = "planes"

    plane: str
    gate: int = 0

    def key(self):
        return self.plane


@pytest.fixture(autouse=True)
def _registry():
    with using(Registry()):
        yield


class Port:
    """An engine that remembers what it was asked."""

    def __init__(self):
        self.loop = None
        self.journaled = []
        self.threads = []
        self.refusal = None

    async def journal(self, job, name, result):
        if self.refusal is not None:
            raise self.refusal
        self.threads.append(threading.current_thread())
        self.journaled.append((name, result, dict(job.steps)))

    def now_ms(self):
        return 5

    def progress(self, job, done, total, note):
        self.journaled.append((done, total, note))

    def logger_for(self, job):
        return f"logger of {job.id}"


def job_of(task=None, **extensions):
    return Job(
        id="job-1",
        task=task,
        task_name="work",
        event=CloudEvent(id="e1", source="/s", type="t", extensions=extensions),
        raw=RawRecord(b"key-\xff", None, (), 7),
        position=Position("topic", 0, 1),
        source="topic",
    )


@pytest.fixture
def port():
    return Port()


@pytest.fixture
def job():
    return job_of()


@pytest.fixture
def ctx(job, port):
    return Context(job=job, state={"db": 1}, port=port)


def test_it_says_who_the_job_is(ctx, job):
    assert (ctx.job_id, ctx.task, ctx.attempt, ctx.event.id) == ("job-1", "work", 1, "e1")
    assert ctx.key == "key-\\xff"
    assert ctx.state["db"] == 1
    assert ctx.log is ctx.log
    assert ctx.log == "logger of job-1"
    assert ctx.deadline is None
    job.deadline_ms = 1_000
    assert ctx.deadline == dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
    job.key = None
    assert ctx.key is None


def test_it_is_cancelled_when_time_is_up_or_somebody_says_so(ctx, job):
    assert not ctx.cancelled
    job.timed_out = True
    assert ctx.cancelled
    job.timed_out, job.cancel_reason = False, "not needed"
    assert ctx.cancelled


def test_progress_goes_to_the_engine(ctx, port):
    ctx.progress(3, 10, note="rows")
    ctx.progress(4)
    assert port.journaled == [(3, 10, "rows"), (4, None, "")]


# -- publish


async def test_publishing_may_be_awaited_or_not(ctx, job):
    first = await ctx.publish(Landed(plane="N1"))
    ctx.publish(Landed(plane="N2"))
    assert job.outputs[0].event.id == first
    assert [(output.topic, output.key) for output in job.outputs] == [("planes", b"N1"), ("planes", b"N2")]
    envelope = job.outputs[0].event
    assert (envelope.type, envelope.source) == (Landed.type, "/tasks/work")
    assert envelope.data == {"plane": "N1", "gate": 0}


def ids_of(*events):
    job = job_of()
    ctx = Context(job=job, state={}, port=Port())
    for event in events:
        ctx.publish(event)
    return {output.event.data["gate"]: output.event.id for output in job.outputs}


def test_ids_are_the_same_in_every_attempt():
    events = [Landed(plane="N1", gate=1), Landed(plane="N1", gate=2), Landed(plane="N2", gate=3)]
    assert ids_of(*events) == ids_of(*events)
    assert len(set(ids_of(*events).values())) == 3


def test_ids_do_not_depend_on_which_branch_comes_first():
    one, other = Landed(plane="N1", gate=1), Landed(plane="N2", gate=2)
    assert ids_of(one, other) == ids_of(other, one)


def test_an_envelope_needs_a_topic_and_keeps_an_id_it_was_given(ctx, job):
    with pytest.raises(OutputRefused, match="needs its topic"):
        ctx.publish(CloudEvent(source="/s", type="t", id="x"))
    assert not job.outputs
    given = CloudEvent(source="/s", type="t", id="mine")
    random = CloudEvent(source="/s", type="t")
    ctx.publish(given, topic="a")
    ctx.publish(random, topic="a", key="k")
    ctx.publish(random, topic="a", key=b"\x00")
    first, second, third = job.outputs
    assert (first.event.id, first.key) == ("mine", b"mine")
    assert second.event.id == derived_id("job-1", "event a t 'k'", 0)
    assert (second.key, third.key) == (b"k", b"\x00")
    assert random.id not in {second.event.id, third.event.id}  # and the caller's own is as it was


def test_what_is_published_carries_the_trace(port):
    job = job_of(traceparent=TRACE, tracestate="a=1", other="x")
    ctx = Context(job=job, state={}, port=port)
    ctx.publish(Landed(plane="N1"))
    own = CloudEvent(source="/s", type="t", id="1", extensions={"traceparent": "own"})
    ctx.publish(own, topic="a")
    assert job.outputs[0].event.extensions == {"traceparent": TRACE, "tracestate": "a=1"}
    assert job.outputs[1].event.extensions == {"traceparent": "own", "tracestate": "a=1"}
    assert own.extensions == {"traceparent": "own"}


def test_outputs_of_threads_of_one_handler_have_ids_of_their_own(ctx, job):
    threads = [
        threading.Thread(target=lambda: [ctx.publish(Landed(plane="N")) for _ in range(200)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({output.event.id for output in job.outputs}) == 800


# -- enqueue


@pytest.fixture
def send():
    @task(name="send", priority="low")
    async def send(ctx, to: str, at: dt.date | None = None): ...

    return send


async def test_enqueuing_checks_the_arguments_and_gives_the_id(ctx, job, send):
    id = await ctx.enqueue(send, to="a", at=dt.date(2030, 1, 1))
    [output] = job.outputs
    assert isinstance(output, Output)
    assert (output.topic, output.key) == (None, None)
    request = output.event
    assert (request.task, request.args, request.job_id) == ("send", {"to": "a", "at": "2030-01-01"}, id)
    assert request.options.priority == "low"
    assert id == derived_id("job-1", "job send", 0)
    with pytest.raises(InvalidArguments):
        ctx.enqueue(send, tos="a")
    assert len(job.outputs) == 1


async def test_options_of_one_enqueue(ctx, job, send):
    assert await ctx.enqueue(send.options(job_id="mine", priority="high"), to="a") == "mine"
    assert await ctx.enqueue(send.options(idempotency_key=["a", 1]), to="a") == job_id("send", ["a", 1])
    assert [output.event.options.priority for output in job.outputs] == ["high", "low"]


async def test_a_task_of_another_service_is_enqueued_by_name(ctx, job):
    await ctx.enqueue("elsewhere", at=dt.date(2030, 1, 1))
    assert job.outputs[0].event.args == {"at": "2030-01-01"}
    with pytest.raises(OutputRefused, match=r"enqueue\('elsewhere'\): arguments must be JSON"):
        ctx.enqueue("elsewhere", thing=object())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"defer_by": -1}, "defer_by: wanted"),
        ({"defer_by": 1, "run_at": dt.datetime.now(dt.UTC)}, "exclude each other"),
        ({"run_at": 5}, "run_at=5: wanted a datetime"),
        ({"run_at": dt.datetime(2030, 1, 1)}, "needs its zone"),  # noqa: DTZ001
        ({"priority": "urgent"}, "wanted one of high, normal, low"),
        ({"job_id": ""}, "1 to 128 characters"),
        ({"job_id": "x" * 129}, "1 to 128 characters"),
        ({"job_id": "a", "idempotency_key": "b"}, "exclude each other"),
        ({"deadline": "soon"}, "deadline: wanted"),
        ({"countdown": 3}, "options of one enqueue are defer_by, run_at"),
    ],
)
def test_wrong_options_of_an_enqueue(send, options, said):
    with pytest.raises(ValueError, match=r".") as caught:
        send.options(**options)
    assert said in str(caught.value)


# -- steps


async def test_a_step_is_journaled_before_its_result_is_used(ctx, port):
    async def fetch(page, *, step):
        assert step == Step("fetch", "job-1:fetch", 1)
        return {"page": page}

    assert await ctx.step("fetch", fetch, 3) == {"page": 3}
    assert port.journaled == [("fetch", {"page": 3}, {"fetch": {"page": 3}})]


async def test_a_later_attempt_gets_the_kept_result(job, port):
    job.steps = {"fetch": None, "other": 2}
    ctx = Context(job=job, state={}, port=port)

    def never():
        raise AssertionError("ran again")

    assert await ctx.step("fetch", never) is None
    assert port.journaled == []


async def test_the_first_attempt_sees_what_later_ones_will(ctx):
    assert await ctx.step("pair", lambda: (1, 2)) == [1, 2]
    assert await ctx.step("day", lambda: dt.date(2030, 1, 1)) == "2030-01-01"


async def test_results_must_be_json(ctx, job):
    with pytest.raises(StepRefused, match=r"step 'x': its result, a object, is no JSON"):
        await ctx.step("x", object)
    with pytest.raises(StepRefused, match="model_dump"):
        await ctx.step("y", lambda: Landed(plane="N1"))
    assert not job.steps


async def test_a_name_stands_for_one_result(ctx):
    await ctx.step("page", lambda: 1)
    with pytest.raises(StepRefused, match=r"'page' was used already.*page/\{number\}"):
        await ctx.step("page", lambda: 2)
    for wrong in ("", None):
        with pytest.raises(StepRefused, match="the name is text"):
            await ctx.step(wrong, lambda: 2)


async def test_two_steps_of_one_name_at_once_are_refused(ctx):
    async def slow():
        await asyncio.sleep(0)
        return 1

    results = await asyncio.gather(ctx.step("a", slow), ctx.step("a", slow), return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], StepRefused)


async def test_steps_side_by_side_are_all_in_the_last_record(ctx, port):
    await asyncio.gather(*(ctx.step(f"s{n}", lambda n=n: n) for n in range(3)))
    assert port.journaled[-1][2] == {"s0": 0, "s1": 1, "s2": 2}


async def test_a_failed_step_may_be_tried_again(ctx):
    with pytest.raises(ZeroDivisionError):
        await ctx.step("a", lambda: 1 / 0)
    assert await ctx.step("a", lambda: 1) == 1


async def test_a_result_that_was_not_journaled_is_not_kept(ctx, port, job):
    port.refusal = ValueError("too large")
    with pytest.raises(ValueError, match="too large"):
        await ctx.step("a", lambda: 1)
    assert job.steps == {}
    port.refusal = None
    assert await ctx.step("a", lambda: 2) == 2


async def test_a_step_called_with_its_own_step_argument_keeps_it(ctx):
    assert await ctx.step("a", lambda step: step, step=5) == 5
    assert await ctx.step("b", max, 1, 2) == 2  # has no signature to look at


async def test_steps_of_a_thread_task_block_their_thread_only(port):
    @task
    def threaded(ctx):
        def local():
            ran_in.append(threading.current_thread())
            return 1

        async def remote():
            ran_in.append(threading.current_thread())
            return 2

        return ctx.step("local", local), ctx.step("remote", remote), ctx.step("kept", local)

    ran_in = []
    port.loop = asyncio.get_running_loop()
    job = job_of(threaded)
    job.steps = {"kept": 3}
    ctx = Context(job=job, state={}, port=port)
    assert await asyncio.to_thread(threaded, ctx) == (1, 2, 3)
    loop_thread = threading.current_thread()
    assert ran_in[0] is not loop_thread
    assert ran_in[1] is loop_thread
    assert port.threads == [loop_thread, loop_thread]
