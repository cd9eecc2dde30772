"""Whatever is set aside keeps its bytes and headers and says why; what comes beside it runs."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.topics import dlq_topic
from tests.integration.observing import (
    State,
    event,
    events_state,
    facts_of,
    job_of,
    jobs_state,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.waiting import until

Headers = list[tuple[str, bytes | None]]
ODD: Headers = [("x-odd", b"\xff\x00"), ("x-twice", b"1"), ("x-twice", b"2"), ("x-null", None)]


def headers_of(type: str, id: str, **more: bytes) -> Headers:
    attributes = {"ce_specversion": b"1.0", "ce_id": id.encode(), "ce_source": b"/observed"}
    attributes |= {"ce_type": type.encode(), "content-type": b"application/json"} | more
    return [*attributes.items(), *ODD]


# reason → the record: its value and headers.
RECORDS: dict[str, tuple[bytes | None, Headers]] = {
    "exhausted": (b'{"a": 1}', headers_of("letter.exhausted", "exhausted")),
    "failed": (b'{ "spaces":  "kept" }', headers_of("letter.failed", "failed")),
    "undecodable": (b"\xff\xfe not JSON", headers_of("letter.measured", "undecodable")),
    "unknown_version": (b'{"size": 1}', headers_of("letter.measured", "unknown", ce_dataversion=b"7")),
    "invalid": (b'{"size": "many"}', headers_of("letter.measured", "invalid")),
    "expired": (b"{}", headers_of("letter.expired", "expired")),
}
NO_JOB = ("undecodable", "unknown_version", "invalid")


@pytest.fixture
async def states(broker: str, app_id: str, tmp_path: Path) -> tuple[State, State]:
    """Events and jobs after every record was set aside, and good ones beside them ran."""

    async def all_set_aside() -> bool:
        events, jobs = await events_state(broker, app_id), await jobs_state(broker, app_id)
        return len(events.letter_records) == len(RECORDS) and len(jobs.letter_records) == 3

    async with observing(broker, app_id, tmp_path, "refusing", unknown_task_patience_seconds=1):
        await _send(broker, topic_of(app_id))
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("nobody_knows", {"a": 1}, EnqueueOptions(job_id="unknown"))
            await queue.request("greeting", {"nome": "x"}, EnqueueOptions(job_id="invalid"))
            late = EnqueueOptions(job_id="late", defer_by=0.3, deadline=0.1)
            await queue.request("greeting", {"name": "late"}, late)
            await queue.request("greeting", {"name": "x"}, EnqueueOptions(job_id="good"))
        await publish(broker, topic_of(app_id), event("letter.measured", "good", size=3))
        await until(all_set_aside, within_seconds=90)
        await until(lambda: _good(tmp_path), within_seconds=30)
    return await events_state(broker, app_id), await jobs_state(broker, app_id)


async def _send(broker: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        for reason, (value, headers) in RECORDS.items():
            await producer.send_and_wait(topic, value, key=f"key of {reason}".encode(), headers=headers)


def _good(folder: Path) -> bool:
    ran = {(note.task, note.event_id) for note in notes(folder, "started")}
    return {("measure", "good"), ("greeting", "good")} <= ran


async def test_every_reason_has_its_letter(states: tuple[State, State], app_id: str, tmp_path: Path) -> None:
    events, jobs = states
    letters = {facts_of(record)["headrace-reason"]: record for record in events.letter_records}
    assert letters.keys() == RECORDS.keys()
    for reason, (value, headers) in RECORDS.items():
        letter = letters[reason]
        assert letter.topic == dlq_topic(app_id, topic_of(app_id))
        assert (letter.key, letter.value) == (f"key of {reason}".encode(), value)
        assert list(letter.headers)[: len(headers)] == headers, "the original ones, in their order"
        _check_facts(facts_of(letter), reason, events)
    _check_requests(jobs)
    assert events.outcome(job_of("measure", "good")) == "completed"
    assert jobs.outcome("good") == "completed"
    ran = [(note.task, note.event_id) for note in notes(tmp_path, "started")]
    assert sorted(ran) == [
        ("exhausted", "exhausted"),
        ("exhausted", "exhausted"),
        ("expired", "expired"),
        ("failed", "failed"),
        ("greeting", "good"),
        ("measure", "good"),
    ]


def _check_facts(facts: dict[str, str], reason: str, events: State) -> None:
    (origin,) = [record for record in events.records if record.key == f"key of {reason}".encode()]
    assert facts["headrace-origin-topic"] == origin.topic
    assert facts["headrace-origin-partition"] == str(origin.partition)
    assert facts["headrace-origin-offset"] == str(origin.offset)
    assert facts["headrace-origin-timestamp"] == str(origin.timestamp)
    assert facts["headrace-release"] == "0"
    assert facts["headrace-exception-type"]
    assert facts["headrace-exception-message"]
    assert origin.timestamp <= int(facts["headrace-first-failed-at"]) <= int(facts["headrace-last-failed-at"])
    if reason in NO_JOB:
        assert not {"headrace-job-id", "headrace-task"} & facts.keys()
        assert facts["headrace-attempts"] == "0"
        return
    job_id = job_of(reason, reason)
    assert (facts["headrace-job-id"], facts["headrace-task"]) == (job_id, reason)
    assert facts["headrace-attempts"] == ("2" if reason == "exhausted" else "1")
    assert f"in {reason}" in facts["headrace-exception-stack"]
    assert "consumers/engine" not in facts["headrace-exception-stack"]
    assert events.outcome(job_id) == ("expired" if reason == "expired" else "failed")


def _check_requests(jobs: State) -> None:
    """Set aside before any attempt: a task nobody knows, wrong arguments, a deadline that passed."""
    expected = {"unknown": "unknown_task", "invalid": "invalid", "late": "expired"}
    assert jobs.letters.keys() == expected.keys()
    for job_id, reason in expected.items():
        (facts,) = jobs.letters[job_id]
        assert facts["headrace-reason"] == reason
        assert facts["headrace-attempts"] == "0"
        assert jobs.outcome(job_id) == ("expired" if reason == "expired" else "failed")
        assert jobs.attempts(job_id) == 0
    assert "nobody_knows" in jobs.letters["unknown"][0]["headrace-exception-message"]
    assert "nome" in jobs.letters["invalid"][0]["headrace-exception-message"]
    by_id: dict[str, Any] = {dict(record.headers)["ce_id"].decode(): record for record in jobs.records}
    for letter in jobs.letter_records:
        origin = by_id[facts_of(letter)["headrace-job-id"]]
        assert (letter.key, letter.value) == (origin.key, origin.value)
