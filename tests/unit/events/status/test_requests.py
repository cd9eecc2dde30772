from typing import Any

import orjson
import pytest

from events.status.requests import request_of
from events.structured import to_document
from schemas.cloudevent import CloudEvent
from schemas.job import JOB_REQUESTED
from tests.unit.events.status.records import NOW_MS, Record, request

PARTITION = ("app.jobs", 0)


def asking(**data: Any) -> Record:
    return Record("app.jobs", b"k", orjson.dumps(data), [("ce_type", JOB_REQUESTED.encode())])


def test_a_request_keeps_what_is_told_of_it() -> None:
    record = request("j", defer_by=60, deadline=90)
    assert request_of(record, PARTITION, "low") == (
        "j",
        {
            "task": "mail",
            "ms": NOW_MS,
            "at": ["app.jobs", 0, -1],
            "priority": "low",
            "due": NOW_MS + 60_000,
            "deadline": NOW_MS + 90_000,
        },
    )


def test_a_structured_request_is_one_too() -> None:
    event = CloudEvent(id="j", source="/x", type=JOB_REQUESTED, data={"task": "mail", "job_id": "j"})
    value = orjson.dumps(to_document(event))
    record = Record("app.jobs", None, value, [("content-type", b"application/cloudevents+json")])
    found = request_of(record, PARTITION, "normal")
    assert found is not None
    assert found[0] == "j"


def test_the_event_behind_a_job_is_named() -> None:
    event = {"id": "e", "type": "t", "source": "/s", "specversion": "1.0"}
    found = request_of(asking(task="t", job_id="j", event=event, parent="p"), PARTITION, "normal")
    assert found is not None
    assert (found[1]["event"], found[1]["parent"]) == (["e", "t", "/s"], "p")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"task": "t"},
        {"task": "", "job_id": "j"},
        {"task": "t", "job_id": "j" * 129},
        {"task": "t", "job_id": "fence/0"},
        {"task": "t", "job_id": "j", "args": []},
        {"task": "t", "job_id": "j", "not_before_ms": -1},
        {"task": 7, "job_id": "j"},
    ],
)
def test_what_workers_refuse_asks_for_no_job(data: dict[str, Any]) -> None:
    assert request_of(asking(**data), PARTITION, "normal") is None


@pytest.mark.parametrize("value", [None, b"", b"[", b"[]", b'"text"', b"null"])
def test_bytes_that_are_none_ask_for_no_job(value: bytes | None) -> None:
    headers = [("ce_type", JOB_REQUESTED.encode())]
    assert request_of(Record("app.jobs", b"k", value, headers), PARTITION, "normal") is None
    assert request_of(Record("app.jobs", b"k", value, []), PARTITION, "normal") is None
