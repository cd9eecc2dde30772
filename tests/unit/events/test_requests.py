import datetime as dt
import json
from typing import Any

import pytest

from events.codec import decode, encode
from events.queue_options import EnqueueOptions
from events.requests import plain_request, request_event
from events.structured import from_document
from schemas.cloudevent import CloudEvent
from schemas.job import JOB_REQUESTED, JobRequested, job_id

NOW_MS = 1_700_000_000_000


def ask(args: dict[str, Any] | None = None, **options: Any) -> tuple[str, bytes, JobRequested]:
    topic, key, event = request_event(
        "app", "send_email", args or {}, EnqueueOptions(**options), now_ms=NOW_MS
    )
    return topic, key, JobRequested.model_validate_json(event.raw_data or b"")


def test_a_request_is_an_event_any_service_can_send() -> None:
    topic, key, event = request_event("app", "send_email", {"to": "a@b.example"}, EnqueueOptions(job_id="7"))
    value, headers = encode(event)
    read = decode(key=key, value=value, headers=headers, topic=topic, partition=0, offset=0)
    assert (topic, key) == ("app.jobs", b"7")
    assert (read.type, read.id, read.source, read.subject) == (
        JOB_REQUESTED,
        "7",
        "/headrace/app",
        "send_email",
    )
    assert json.loads(value or b"") == {"task": "send_email", "job_id": "7", "args": {"to": "a@b.example"}}


def test_without_id_or_key_every_request_is_a_job_of_its_own() -> None:
    _, first_key, first = ask()
    _, _, second = ask()
    assert first.job_id != second.job_id
    assert first_key == first.job_id.encode()


def test_equal_idempotency_keys_are_one_job_in_one_partition() -> None:
    _, key, request = ask(idempotency_key=["order", 17])
    assert request.job_id == job_id("send_email", ["order", 17])
    assert request.idempotency_key == ["order", 17]
    assert key == b'["order",17]'


@pytest.mark.parametrize(
    ("priority", "topic"), [(None, "app.jobs"), ("normal", "app.jobs"), ("high", "app.jobs.high")]
)
def test_the_priority_is_the_topic(priority: str | None, topic: str) -> None:
    assert ask(priority=priority)[0] == topic


@pytest.mark.parametrize(
    ("options", "not_before_ms", "deadline_ms"),
    [
        ({}, None, None),
        ({"defer_by": 1.5}, NOW_MS + 1500, None),
        ({"defer_by": dt.timedelta(minutes=1), "deadline": 90}, NOW_MS + 60_000, NOW_MS + 90_000),
        ({"run_at": dt.datetime.fromtimestamp(NOW_MS / 1000 + 5, dt.UTC)}, NOW_MS + 5000, None),
        ({"deadline": dt.datetime.fromtimestamp(NOW_MS / 1000 + 5, dt.UTC)}, None, NOW_MS + 5000),
    ],
)
def test_times_count_from_the_enqueue(
    options: dict[str, Any], not_before_ms: int | None, deadline_ms: int | None
) -> None:
    request = ask(**options)[2]
    assert (request.not_before_ms, request.deadline_ms) == (not_before_ms, deadline_ms)


def test_a_job_for_an_event_carries_it_whole_and_keeps_its_trace() -> None:
    cause = CloudEvent(
        type="a",
        source="/b",
        data={"x": 1, "large": 2**70},
        extensions={"traceparent": "00-x", "dataversion": "2"},
    )
    _, _, event = request_event("app", "count", {}, EnqueueOptions(), event=cause, job_id="j", id="hop")
    request = JobRequested.model_validate_json(event.raw_data or b"")
    assert (event.id, request.job_id) == ("hop", "j")
    assert event.extensions == {"traceparent": "00-x"}
    assert request.event is not None
    assert from_document(request.event) == cause


def test_headers_travel_with_the_request() -> None:
    assert ask(headers={"tenant": "ua"})[2].headers == {"tenant": "ua"}


def test_arguments_must_be_json() -> None:
    with pytest.raises(ValueError, match="job for send_email: its arguments cannot be written as JSON"):
        ask({"when": object()})
    with pytest.raises(ValueError, match="job for send_email: its idempotency key cannot be written as JSON"):
        ask(idempotency_key=2**70)


def test_a_plain_request_is_the_same_record() -> None:
    for args in ({}, {"to": "a", "n": [1, None, 2.5, "ü"]}):
        options = EnqueueOptions(job_id="mine", priority="low")
        topic, key, event = request_event("app", "send", args, options)
        assert plain_request("app", "send", args, job_id="mine", priority="low") == (
            topic,
            key,
            *encode(event),
        )
