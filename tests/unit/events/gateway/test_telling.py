import pytest

from events.gateway.reading import seconds_of
from events.gateway.telling import letter_info, schedule_info, task_info, whole_letter, worker_info
from events.status.letters import facts_of, letter_place
from schemas.job import JobState
from tests.unit.events.status.records import NOW_MS, Record


@pytest.mark.parametrize("value", [None, 7, "x", [1], {"a": 1}])
def test_announcements_may_hold_anything(value: object) -> None:
    fields = "release schema on timeout_seconds max_tries doc state at_ms partitions tasks cursor args cron"
    told = dict.fromkeys(fields.split(), value) | {"cursor": {"last_outcome": value, "next_ms": value}}
    assert task_info("t", told, {}).announced
    assert worker_info("w", told, NOW_MS).worker == "w"
    assert schedule_info("s", told).schedule == "s"


def test_a_task_only_jobs_tell_of_is_not_announced() -> None:
    found = task_info("t", None, {JobState.FAILED: 2})
    assert (found.announced, found.states) == (False, {JobState.FAILED: 2})


def test_a_worker_is_silent_when_its_heart_stopped_without_a_word() -> None:
    told = {"state": "ready", "at_ms": NOW_MS, "partitions": {"jobs": [0, 1]}}
    assert not worker_info("w", told, NOW_MS + 20_000).silent
    assert worker_info("w", told, NOW_MS + 20_001).silent
    assert not worker_info("w", told | {"state": "stopped"}, NOW_MS + 90_000).silent


def test_a_letter_is_shown_as_text_where_it_is_text() -> None:
    headers = [("headrace-job-id", b"j"), ("headrace-exception-stack", b"line"), ("x", b"\xff")]
    record = Record("app.jobs.dlq", None, b"{}", headers, offset=4)
    facts = facts_of(record, (record.topic, record.partition), "jobs")
    assert letter_info(facts).id == "jobs:0:4"
    whole = whole_letter(facts, record)
    assert (whole.key.value, whole.value.value, whole.exception_stack) == (None, "{}", "line")
    assert [(header.value, header.base64) for header in whole.headers] == [("/w==", True)]


@pytest.mark.parametrize("id", ["", "jobs", "jobs:0", "jobs:0:x", ":0:1", "jobs:-1:1", f"jobs:0:{'9' * 30}"])
def test_what_names_no_letter(id: str) -> None:
    assert letter_place(id) is None


def test_letters_are_named_by_their_place() -> None:
    assert letter_place("a.b:3:17") == ("a.b", 3, 17)


@pytest.mark.parametrize(
    ("wait", "seconds"), [(None, 0), ("30", 30), ("30s", 30), ("500ms", 0.5), ("2m", 120), ("99m", 300)]
)
def test_waits_are_read_as_people_write_them(wait: str | None, seconds: float) -> None:
    assert seconds_of(wait) == seconds
