from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.state_view import SourceView, StatePartition, sources_of
from schemas.job import JobState
from schemas.state import WRITER_HEADER, encode_state, fence_key

NOW_MS = 1_700_000_000_000


class Record:
    """A record of a state topic, as a consumer gives it."""

    def __init__(self, key: bytes | None, value: bytes | None, writer: int = 1, partition: int = 0) -> None:
        self.key, self.value, self.partition = key, value, partition
        self.headers = [(WRITER_HEADER, writer.to_bytes(8, "big"))] if value is None else []


def job(
    state: JobState, *, id: bytes = b"j", writer: int = 1, revision: int = 1, expires_ms: int = 0, **more: Any
) -> Record:
    document = {"state": state, "task": "count", "attempt": 2, "enqueued_ms": NOW_MS} | more
    value = encode_state(document, due_ms=7, expires_ms=expires_ms, writer=writer, revision=revision)
    return Record(id, value)


def fence(writer: int) -> Record:
    return Record(fence_key(0), encode_state({"released": False, "at_ms": NOW_MS}, writer=writer))


def states(retry: list[Record], ledger: list[Record]) -> dict[str, JobState]:
    view = SourceView("flights")
    for record in retry:
        view.add(record, ledger=False)
    for record in ledger:
        view.add(record, ledger=True)
    return {found.job_id: found.state for found in view.jobs(NOW_MS)}


def test_a_job_is_what_its_last_record_says() -> None:
    retry = [job(JobState.RETRYING), job(JobState.RUNNING, revision=2)]
    assert states(retry, []) == {"j": JobState.RUNNING}


def test_a_tombstone_forgets() -> None:
    assert states([job(JobState.RETRYING), Record(b"j", None)], []) == {}


@pytest.mark.parametrize(
    ("parked", "finished", "expected"),
    [(2, 3, JobState.COMPLETED), (2, 2, JobState.COMPLETED), (3, 2, JobState.RETRYING)],
)
def test_the_higher_revision_wins_and_on_a_tie_the_ledger(
    parked: int, finished: int, expected: JobState
) -> None:
    found = states([job(JobState.RETRYING, revision=parked)], [job(JobState.COMPLETED, revision=finished)])
    assert found == {"j": expected}


def test_after_a_fence_only_its_writer_counts() -> None:
    retry = [
        job(JobState.RETRYING, writer=1),  # before the first fence everybody counts
        fence(2),
        job(JobState.RUNNING, writer=1, revision=9),
        Record(b"j", None, writer=1),
        job(JobState.RETRYING, id=b"k", writer=2),
        fence(3),
        Record(b"k", None, writer=2),
    ]
    assert states(retry, []) == {"j": JobState.RETRYING, "k": JobState.RETRYING}


def test_expired_records_and_what_is_no_job_are_left_out() -> None:
    ledger = [
        job(JobState.COMPLETED, id=b"old", expires_ms=NOW_MS),
        job(JobState.COMPLETED, id=b"new", expires_ms=NOW_MS + 1),
        Record(b"short", b"x"),
        Record(None, b"x" * 40),
        Record(b"cursor", encode_state({"at": 1})),
        Record(b"broken", encode_state({})[:-1] + b"["),
    ]
    assert states([], ledger) == {"new": JobState.COMPLETED}


def test_a_view_says_all_it_knows() -> None:
    view = SourceView("flights")
    view.add(job(JobState.COMPLETED, result={"n": 1}, expires_ms=NOW_MS + 5), ledger=True)
    (found,) = view.jobs(NOW_MS)
    assert found.as_json() == {
        "job_id": "j",
        "source": "flights",
        "partition": 0,
        "state": "completed",
        "task": "count",
        "attempt": 2,
        "enqueued_ms": NOW_MS,
        "result": {"n": 1},
        "due_ms": 7,
        "expires_ms": NOW_MS + 5,
        "revision": 1,
    }


@given(st.lists(st.tuples(st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=60))))
def test_foreign_bytes_in_a_state_topic_break_nothing(
    records: list[tuple[bytes | None, bytes | None]],
) -> None:
    view = SourceView("flights", {0: StatePartition()}, {})
    for key, value in records:
        view.add(Record(key, value), ledger=False)
    list(view.jobs(NOW_MS))


def test_sources_are_found_by_their_topics() -> None:
    topics = [
        "app.flights.retry",
        "app.flights.ledger",
        "app.a.b.ledger",
        "app.jobs",
        "flights",
        "other.x.retry",
    ]
    assert sources_of("app", topics) == ["a.b", "flights"]
