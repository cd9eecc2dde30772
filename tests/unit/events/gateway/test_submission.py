import datetime as dt
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from events.gateway.announced import Announced
from events.gateway.bulk_items import read_items, submission_of
from events.gateway.problems import Problem
from events.gateway.submission import (
    Identity,
    JobSubmission,
    fingerprint,
    plain_submission,
    prepare,
    read_plain,
    read_submission,
)
from schemas.job import JobRequested
from tests.unit.events.gateway.registry import announced

NOW_MS = 1_700_000_000_000


def _prepare(body: dict[str, Any], view: Announced | None = None, **more: Any) -> Any:
    submission = read_submission(orjson.dumps(body))
    return prepare(submission, view or announced(), app_id="app", now_ms=NOW_MS, **more)


def _refused(body: bytes) -> Problem:
    with pytest.raises(Problem) as raised:
        read_submission(body)
    return raised.value


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"[]", ""),
        (b"{}", "/task"),
        (b'{"task":1}', "/task"),
        (b'{"task":"a","args":[]}', "/args"),
        (b'{"task":"a","extra/~":1}', "/extra~1~0"),
        (b'{"task":"a","options":{"defer_by":"x"}}', "/options/defer_by"),
        (b'{"task":"a","options":{"deadline":"x"}}', "/options/deadline"),
        (b'{"task":"a","options":{"run_at":"2030-01-01T00:00:00"}}', "/options/run_at"),
        (b'{"task":"a","options":{"run_at":5}}', "/options/run_at"),
        (b'{"task":"a","options":{"headers":{"x":1}}}', "/options/headers/x"),
    ],
)
def test_wrong_places_are_pointed_at(body: bytes, pointer: str) -> None:
    problem = _refused(body)
    assert (problem.status, problem.slug) == (422, "invalid-request")
    assert pointer in {error.get("pointer") for error in problem.more["errors"]}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"task":"\xff"}', b"nan"])
def test_what_is_no_json_says_so(body: bytes) -> None:
    assert _refused(body).slug == "not-json"


def test_a_request_becomes_the_record_a_client_writes() -> None:
    job = _prepare(
        {
            "task": "send_email",
            "args": {"to": "a"},
            "options": {
                "defer_by": 60,
                "deadline": "2030-01-01T00:00:00Z",
                "headers": {"h": "1"},
                "unique": True,
            },
        }
    )
    request = JobRequested.model_validate_json(job.record.value)
    assert request.not_before_ms == NOW_MS + 60_000
    assert request.deadline_ms == int(dt.datetime(2030, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
    assert (request.args, request.headers, request.unique) == ({"to": "a"}, {"h": "1"}, True)
    assert (job.state, job.priority, job.record.topic) == ("scheduled", "low", "app.jobs.low")


def test_a_time_that_is_over_is_now() -> None:
    job = _prepare(
        {
            "task": "send_email",
            "args": {"to": "a"},
            "options": {"run_at": "2001-01-01T00:00:00Z", "priority": "high"},
        }
    )
    assert (job.state, job.record.topic) == ("pending", "app.jobs.high")


@pytest.mark.parametrize(
    "options",
    [
        {"defer_by": 1, "run_at": "2030-01-01T00:00:00Z"},
        {"job_id": "a", "idempotency_key": 1},
        {"job_id": "fence/1"},
        {"run_at": "9999-12-31T23:59:59-12:00"},
        {"run_at": "0001-01-01T00:00:00+12:00"},
    ],
)
def test_options_that_cannot_be_used_are_422(options: dict[str, Any]) -> None:
    with pytest.raises(Problem) as raised:
        _prepare({"task": "send_email", "args": {"to": "a"}, "options": options})
    assert raised.value.slug == "invalid-request"


BIG = b"9" * 30


@pytest.mark.parametrize(
    "body",
    [
        b'{"task":"free","args":{"n":%s}}' % BIG,
        b'{"task":"free","args":{"n":%s},"options":{"priority":null}}' % BIG,
        b'{"task":"free","options":{"idempotency_key":%s}}' % BIG,
        b'{"task":"free","extra":%s}' % BIG,
    ],
)
@pytest.mark.parametrize("identity", [None, Identity("a", "POST /jobs", "k")])
def test_numbers_json_holds_and_we_cannot_write_are_422(body: bytes, identity: Identity | None) -> None:
    [item] = read_items(b"[" + body + b"]", lines=False)
    ways: list[Callable[[], Any]] = [lambda: read_submission(body), lambda: submission_of(item)]
    if identity is None:
        ways += [
            lambda: read_plain(body) or read_submission(body),
            lambda: plain_submission(item) or submission_of(item),
        ]
    for way in ways:
        with pytest.raises(Problem) as raised:
            prepare(way(), announced(), app_id="app", now_ms=NOW_MS, identity=identity)
        assert raised.value.status == 422


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"null",
        b"nonsense",
        b'{"task":1}',
        b'{"task":""}',
        b'{"task":"a","args":[]}',
        b'{"task":"a","args":null}',
        b'{"task":"a","options":{}}',
        b'{"task":"a","args":{"n":NaN}}',
        b'{"task":"%s"}' % (b"a" * 201),
    ],
)
def test_what_is_not_plain_is_looked_at_closely(body: bytes) -> None:
    assert read_plain(body) is None


@pytest.mark.parametrize("body", [b'{"task":"send_email","args":{"to":"a"}}', b'{"task":"free"}'])
def test_a_plain_request_becomes_what_any_becomes(body: bytes) -> None:
    plain, whole = read_plain(body), read_submission(body)
    assert plain is not None
    one, other = (prepare(each, announced(), app_id="app", now_ms=NOW_MS) for each in (plain, whole))
    assert (one.task, one.priority, one.state, one.body) == (other.task, other.priority, other.state, "")
    assert one.record.topic == other.record.topic
    assert (one.record.value or b"").replace(one.job_id.encode(), b"") == (other.record.value or b"").replace(
        other.job_id.encode(), b""
    )


def test_the_job_of_a_key_is_that_of_caller_route_and_key() -> None:
    ids = {
        Identity(*each).job_id
        for each in (
            ("a", "POST /jobs", "k"),
            ("b", "POST /jobs", "k"),
            ("a", "POST /jobs/bulk", "k"),
            ("a", "POST /jobs", "l"),
        )
    }
    assert len(ids) == 4
    identity = Identity("a", "POST /jobs", "k")
    body = {"task": "send_email", "args": {"to": "a"}}
    one, other = (_prepare(body, identity=identity) for _ in range(2))
    assert one.job_id == other.job_id == identity.job_id
    assert ("headrace-idempotency", one.body.encode()) in one.record.headers
    with pytest.raises(Problem, match="invalid-request"):
        _prepare({**body, "options": {"job_id": "mine"}}, identity=identity)


def test_a_fingerprint_is_of_what_is_asked_not_of_how_it_is_written() -> None:
    one = JobSubmission.model_validate_json(b'{"task":"a","args":{"x":1,"y":2}}')
    same = JobSubmission.model_validate_json(b'{ "args": {"y": 2, "x": 1}, "task": "a", "options": {} }')
    other = JobSubmission.model_validate_json(b'{"task":"a","args":{"x":1,"y":3}}')
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
