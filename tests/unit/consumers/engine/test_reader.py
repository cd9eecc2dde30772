import orjson
import pytest

from consumers import task
from consumers.engine.commands import CommandReader
from consumers.engine.decisions import REROUTED, Parked
from consumers.engine.reader import UNKNOWN_TASK_FIRST_SECONDS, Reader, failure, new_writer
from consumers.engine.records import letter_headers
from consumers.outcomes import DeadLettered, Failure
from consumers.registry import Registry, using
from events import codec
from events.queue_options import EnqueueOptions
from events.requests import request_event
from schemas.cloudevent import CloudEvent
from schemas.deadletter import Reason
from schemas.domain import DomainEvent
from schemas.job import JobState, job_id
from schemas.state import Position, RawRecord
from tests.unit.consumers.engine.orders import NOW_MS, PEN

HERE = Position("doors", 0, 5)
JOBS = Position("A.jobs", 0, 5)


class Opened(DomainEvent):
    type = "reader-test.opened"
    topic = "doors"

    door: int


@pytest.fixture
def registry():
    with using(Registry()) as fresh:
        yield fresh


def reader(registry, **more):
    return Reader(
        **{
            "registry": registry,
            "source": "doors",
            "jobs_topics": frozenset({"A.jobs"}),
            "default_types": {"bare": "bare.type"},
            "now_ms": lambda: NOW_MS,
            "patience_ms": 900_000,
            **more,
        }
    )


def raw_of(event, *, key=b"k", timestamp_ms=NOW_MS - 10):
    value, headers = codec.encode(event)
    return RawRecord(key, value, tuple(headers), timestamp_ms)


def opened(data=None, **more):
    given = {"id": "e1", "source": "/s", "type": Opened.type, "data": data or {"door": 1}, **more}
    return raw_of(CloudEvent(**given))


def request(name, args=None, *, event=None, **options):
    _, key, asked = request_event(
        "A", name, args or {}, EnqueueOptions(job_id="job-1", **options), event=event, now_ms=NOW_MS
    )
    return raw_of(asked, key=key)


def on(event=Opened, **options):
    def handler(ctx, event):
        pass

    return task(on=event, **options)(handler)


def test_a_typed_task_gets_its_model(registry):
    on(name="typed")
    ((job, decision),) = reader(registry).read(opened(), HERE)
    assert decision is None
    assert job.payload == Opened(door=1)
    assert (job.id, job.task_name) == (job_id("typed", ["/s", "e1"]), "typed")
    assert (job.key, job.position, job.enqueued_ms) == (b"k", HERE, NOW_MS - 10)


def test_an_untyped_task_gets_the_envelope(registry):
    on("other.*", topic="doors", name="any")
    ((job, _),) = reader(registry).read(opened(type="other.x"), HERE)
    assert job.payload is job.event


def test_every_task_of_an_event_has_a_job_of_its_own(registry):
    on(name="one")
    on(name="two")
    on("reader-test.*", topic="doors", name="three")
    reads = reader(registry).read(opened(), HERE)
    assert [read.job.task_name for read in reads] == ["one", "two", "three"]
    assert len({read.job.id for read in reads}) == 3


def test_an_event_nobody_wants_is_no_job(registry):
    on(name="one", when=lambda event: event.door > 5)
    assert reader(registry).read(opened(), HERE) == []
    assert reader(registry).read(opened(type="unheard.of"), HERE) == []
    assert len(reader(registry).read(opened({"door": 6}), HERE)) == 1


def test_a_when_that_raises_is_a_letter(registry):
    on(name="one", when=lambda event: 1 / 0)
    ((job, decision),) = reader(registry).read(opened(), HERE)
    assert (job.id, decision.reason) == ("", Reason.INVALID)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (RawRecord(None, b"{}", (), NOW_MS), Reason.UNDECODABLE),
        (opened({"door": "none"}), Reason.INVALID),
        (opened()._replace(value=b"{"), Reason.UNDECODABLE),
        (opened(extensions={"dataversion": "9"}), Reason.UNKNOWN_VERSION),
        (opened(extensions={"dataversion": "x"}), Reason.UNDECODABLE),
    ],
)
def test_what_cannot_be_a_job_is_a_letter(registry, raw, reason):
    on(name="one")
    ((job, decision),) = reader(registry).read(raw, HERE)
    assert (job.id, job.task) == ("", None)
    assert decision.reason is reason
    assert decision.failure.message


def test_several_tasks_of_one_model_share_one_letter_and_an_untyped_one_runs(registry):
    on(name="one")
    on(name="two")
    on("reader-test.*", topic="doors", name="three")
    reads = reader(registry).read(opened({"door": "none"}), HERE)
    assert [(read.job.task_name, bool(read.decision)) for read in reads] == [("three", False), ("", True)]


def test_a_task_with_its_own_key_runs_where_equal_keys_meet(registry):
    on(name="hops", idempotency_key=lambda event: event.door, priority="low")
    ((job, decision),) = reader(registry).read(opened(), HERE)
    assert decision is REROUTED
    (output,) = job.outputs
    assert (job.id, output.event.job_id) == ("", job_id("hops", 1))
    assert output.event.options.priority == "low"
    ((again, _),) = reader(registry).read(opened(), HERE)
    assert again.outputs[0].event.id == output.event.id


def test_bare_json_has_the_type_of_its_topic(registry):
    on("bare.type", topic="bare", name="bare")
    ((job, _),) = reader(registry).read(RawRecord(None, b'{"a":1}', (), NOW_MS), Position("bare", 1, 2))
    assert job.event.id == "bare:1:2"


@pytest.mark.parametrize("timestamp_ms", [-1, 0, NOW_MS + 3_600_000, 1 << 62])
def test_an_absurd_timestamp_is_now(registry, timestamp_ms):
    on(name="one", deadline=10)
    ((job, _),) = reader(registry).read(opened()._replace(timestamp_ms=timestamp_ms), HERE)
    assert (job.enqueued_ms, job.ready_ms) == (NOW_MS, NOW_MS)
    assert job.deadline_ms == NOW_MS + 10_000
    assert job.raw.timestamp_ms == timestamp_ms


def test_a_request_is_a_job_with_its_arguments(registry):
    @task(name="mail")
    async def mail(ctx, *, to: str):
        pass

    ((job, decision),) = reader(registry).read(request("mail", {"to": "x"}, deadline=5, defer_by=2), JOBS)
    assert decision is None
    assert (job.id, job.args) == ("job-1", {"to": "x"})
    assert (job.not_before_ms, job.deadline_ms) == (NOW_MS + 2000, NOW_MS + 5000)


def test_a_request_elsewhere_than_among_jobs_is_an_event(registry):
    assert reader(registry).read(request("mail"), HERE) == []


def test_a_request_for_an_event_gives_the_task_its_model(registry):
    on(name="typed")
    event = CloudEvent(id="e1", source="/s", type=Opened.type, data={"door": 3})
    ((job, decision),) = reader(registry).read(request("typed", event=event), JOBS)
    assert decision is None
    assert (job.payload, job.event.id) == (Opened(door=3), "e1")


@pytest.mark.parametrize(
    "event",
    [
        None,
        CloudEvent(id="e", source="/s", type="unheard.of", data={}),
        CloudEvent(id="e", source="/s", type=Opened.type, data={"door": "none"}),
        CloudEvent(id="e", source="/s", type=Opened.type, data={"door": 1}, extensions={"dataversion": "7"}),
    ],
)
def test_a_request_that_does_not_fit_its_task_is_dead_lettered_as_that_job(registry, event):
    on(name="typed")
    ((job, decision),) = reader(registry).read(request("typed", event=event), JOBS)
    assert (job.id, decision.reason) == ("job-1", Reason.INVALID)


@pytest.mark.parametrize("data", [{}, {"task": "t"}, {"task": "t", "job_id": "fence/1"}, [], None])
def test_a_request_that_is_none_is_a_letter(registry, data):
    asked = request("mail")._replace(value=orjson.dumps(data))
    ((job, decision),) = reader(registry).read(asked, JOBS)
    assert (job.id, decision.reason) == ("", Reason.INVALID)


def test_an_unknown_task_is_waited_for_and_then_given_up(registry):
    reading = reader(registry)
    ((job, decision),) = reading.read(request("nobody"), JOBS)
    assert decision == Parked(NOW_MS + int(UNKNOWN_TASK_FIRST_SECONDS * 1000), JobState.RETRYING)
    assert (job.task, job.task_name) == (None, "nobody")
    delays = []
    for waited_ms in (6_000, 100_000, 899_000):
        job.unknown_since_ms = NOW_MS - waited_ms
        delays.append(reading.unknown_again(job).due_ms - NOW_MS)
    assert delays == [6_000, 60_000, 1_000]
    job.unknown_since_ms = NOW_MS - 900_000
    given_up = reading.unknown_again(job)
    assert isinstance(given_up, DeadLettered)
    assert given_up.reason is Reason.UNKNOWN_TASK


def test_the_one_job_of_a_remembered_record_is_found(registry):
    on(name="one")
    on(name="two")
    reading = reader(registry)
    wanted = job_id("two", ["/s", "e1"])
    assert reading.read_for("two", wanted, opened(), HERE).job.id == wanted
    assert reading.read_for("gone", wanted, opened(), HERE) is None
    assert reading.read_for("two", wanted, opened({"door": ""}), HERE).decision.reason is Reason.INVALID
    assert reading.bare_job("x", "gone", opened(), HERE).task_name == "gone"


def test_a_failure_of_a_record_has_no_stack_and_an_end():
    assert failure(ValueError("x" * 5000)) == Failure("ValueError", "x" * 1000)


def test_writers_fit_their_eight_bytes():
    assert all(0 <= new_writer() < 1 << 63 for _ in range(100))


# -- commands


def command(job, **headers):
    own = dict(letter_headers(job, Reason.FAILED, Failure("E", "m"), PEN, NOW_MS))
    own |= {"headrace-command": b"redrive"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return job.raw._replace(headers=tuple((name, value) for name, value in own.items() if value is not None))


@pytest.fixture
def lettered(registry):
    on(name="one", deadline=5)
    on(name="two")
    reading = reader(registry)
    return CommandReader(reading), reading.read(opened(), HERE)[0].job


def test_a_redrive_runs_the_one_job_of_the_letter_without_its_deadline(lettered):
    commands, job = lettered
    job.revision = 3
    carrier, (redriven, decision) = commands.read(command(job), Position("A.doors.commands", 0, 9))
    assert (carrier.job.id, carrier.job.asked.about) == ("command/A.doors.commands-0-9", job.id)
    assert decision is None
    assert (redriven.id, redriven.position, redriven.raw) == (job.id, HERE, job.raw)
    assert (redriven.redrives, redriven.deadline_ms) == (4, None)


def test_a_redrive_of_a_whole_event_is_read_as_it_came(lettered):
    commands, job = lettered
    reads = commands.read(command(job, headrace_job_id=None), HERE)
    assert [(read.job.task_name, read.job.redrives) for read in reads[1:]] == [("one", None), ("two", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"headrace_command": b"explode"},
        {"headrace_command": None},
        {"headrace_origin_topic": None},
        {"headrace_origin_offset": b"x"},
        {"headrace_origin_offset": b"-2"},
        {"headrace_origin_partition": b"9" * 30},
        {"headrace_revision": b"-1"},
        {"headrace_revision": b"\xff"},
        {"headrace_origin_timestamp": b"-2"},
    ],
)
def test_a_command_that_makes_no_sense_starts_nothing(lettered, wrong):
    commands, job = lettered
    assert commands.read(command(job, **wrong), HERE) == []


def test_a_redrive_of_a_job_the_letter_does_not_ask_for_starts_none(lettered):
    commands, job = lettered
    (carrier,) = commands.read(command(job, headrace_job_id=b"somebody-else"), HERE)
    assert carrier.job.asked.reads == []


def asking(command, value, id=b"c1"):
    headers = (("headrace-command", command), ("headrace-command-id", id))
    return RawRecord(b"j1", value, headers, NOW_MS)


@pytest.mark.parametrize(
    ("command", "value", "about"),
    [
        (b"cancel", b'{"job_id": "j1", "reason": "no"}', "j1"),
        (b"reschedule", b'{"job_id": "j1", "due_ms": 5}', "j1"),
        (b"retry", b'{"job_id": "j1"}', "j1"),
        (b"pause_schedule", b'{"schedule": "nightly"}', "nightly"),
    ],
)
def test_a_command_names_what_it_is_about(lettered, command, value, about):
    (carrier,) = lettered[0].read(asking(command, value), HERE)
    asked = carrier.job.asked
    assert (asked.command.value, asked.id, asked.about) == (command.decode(), "c1", about)
    assert (carrier.job.id, asked.why_not) == ("command/c1", "")


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"{}", b'{"job_id": 5}', b'{"schedule": "x"}'])
def test_a_command_with_an_id_that_makes_no_sense_is_answered(lettered, value):
    (carrier,) = lettered[0].read(asking(b"cancel", value), HERE)
    assert carrier.job.asked.command is None
    assert carrier.job.asked.why_not


def test_a_command_whose_id_is_too_long_is_not(lettered):
    assert lettered[0].read(asking(b"cancel", b'{"job_id": "j"}', id=b"x" * 129), HERE) == []
