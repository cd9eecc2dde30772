from collections.abc import Mapping
from typing import Any

import pytest

from events.publisher import Publisher
from events.queue import JobQueue
from events.queue_options import Enqueue, EnqueueOptions, Priority
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from schemas.job import JobRequested, job_id
from schemas.state import Position


class SendEmail:
    name = "send_email"
    priority: Priority = "low"

    def __call__(self, ctx: Any, *, to: str) -> None: ...

    def bind(self, to: str = "") -> dict[str, Any]:
        return {"to": to}

    def dump_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {key: str(value) for key, value in args.items()}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, JobRequested]]:
    """What a queue hands to its publisher."""
    records: list[tuple[str, bytes, JobRequested]] = []

    async def publish(self: Publisher, event: CloudEvent, *, topic: str, key: bytes) -> Position:
        records.append((topic, key, JobRequested.model_validate(event.data)))
        return Position(topic, 0, len(records))

    monkeypatch.setattr(Publisher, "publish", publish)
    return records


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue(ClientSettings(app_id="app"))


Sent = list[tuple[str, bytes, JobRequested]]


async def test_a_name_takes_arguments_as_they_are(queue: JobQueue, sent: Sent) -> None:
    handle = await queue.enqueue("send_email", {"to": "a"}, subject="s")
    ((topic, key, request),) = sent
    assert (topic, key) == ("app.jobs", handle.job_id.encode())
    assert (request.task, request.args) == ("send_email", {"to": "a", "subject": "s"})
    assert request.job_id == handle.job_id
    assert handle.position == Position("app.jobs", 0, 1)


async def test_a_task_checks_its_arguments_and_has_its_priority(queue: JobQueue, sent: Sent) -> None:
    await queue.enqueue(SendEmail(), to=7)
    assert sent[0][0] == "app.jobs.low"
    assert sent[0][2].args == {"to": "7"}


async def test_options_win_over_the_task(queue: JobQueue, sent: Sent) -> None:
    options = EnqueueOptions(priority="high", idempotency_key=17)
    handle = await queue.enqueue(Enqueue(SendEmail(), options), to="a")
    assert sent[0][:2] == ("app.jobs.high", b"17")
    assert handle.job_id == job_id("send_email", 17)


async def test_arguments_of_a_name_must_be_json(queue: JobQueue, sent: Sent) -> None:
    with pytest.raises(ValueError, match="serialize"):
        await queue.enqueue("send_email", to=object())
    assert not sent


async def test_arguments_may_be_given_by_place(queue: JobQueue, sent: Sent) -> None:
    await queue.enqueue(SendEmail(), "a")  # type: ignore[call-overload]
    assert sent[0][2].args == {"to": "a"}


async def test_equal_arguments_make_unique_jobs_equal(queue: JobQueue, sent: Sent) -> None:
    for args in ({"to": "a", "cc": "b"}, {"cc": "b", "to": "a"}, {"to": "c"}):
        await queue.request("send_email", args, EnqueueOptions(unique=True))
    assert [request.unique for _, _, request in sent] == [True] * 3
    assert len({request.job_id for _, _, request in sent}) == 2
    assert {key for _, key, _ in sent} == {request.job_id.encode() for _, _, request in sent}
