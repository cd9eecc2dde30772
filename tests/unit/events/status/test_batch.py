import itertools
import struct
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.status.batch import LETTERS
from events.status.document import status_of
from events.status.keys import ANSWER, CURSOR, FOLD, JOB, META, WRITES, lane
from events.status.query import job_of
from schemas.job import JobState
from schemas.state import encode_state
from schemas.status import JobStatus
from tests.unit.events.status.records import (
    NOW_MS,
    Fed,
    Record,
    fence,
    ledger,
    request,
    retry,
    tombstone,
)

RETRY, LEDGER = "app.jobs.retry", "app.jobs.ledger"


def status(fed: Fed, id: str = "j") -> JobStatus | None:
    job = job_of(fed.store, id)
    return None if job is None else status_of(id, job)


def state(fed: Fed, id: str = "j") -> str | None:
    found = status(fed, id)
    return None if found is None else found.state.value


def test_a_job_lives_from_its_request_to_its_result(fed: Fed) -> None:
    seen = []
    for record in (
        request("j"),
        retry("j", "running", started_ms=NOW_MS + 1),
        retry("j", "retrying", revision=2, due_ms=NOW_MS + 9),
        ledger("j", revision=3, result={"n": 1}),
        tombstone(RETRY, "j"),
    ):
        fed.feed(record)
        seen.append(state(fed))
    assert seen == ["pending", "running", "retrying", "completed", "completed"]
    found = status(fed)
    assert found is not None
    assert (found.result, found.finished, found.priority) == ({"n": 1}, True, "normal")


def test_a_job_that_is_to_wait_is_scheduled_until_somebody_takes_it(fed: Fed) -> None:
    fed.feed(request("j", defer_by=60))
    fed.now_ms += 100_000
    found = status(fed)
    assert found is not None
    assert found.state is JobState.SCHEDULED
    assert found.due_at is not None
    assert found.due_at.timestamp() * 1000 == NOW_MS + 60_000


def test_a_tombstone_read_before_the_ledger_record_does_not_bring_a_job_back(fed: Fed) -> None:
    fed.feed(request("j"), retry("j", "running"))
    fed.feed(tombstone(RETRY, "j"))
    assert state(fed) == "running"
    fed.feed(ledger("j", revision=2))
    assert state(fed) == "completed"


def test_a_job_whose_records_were_all_taken_away_is_forgotten_later(fed: Fed) -> None:
    fed.feed(request("j"), retry("j", "running"), tombstone(RETRY, "j"))
    fed.folding.sweep(JOB, 10)
    assert state(fed) == "running"
    fed.now_ms += 100_000
    assert fed.folding.sweep(JOB, 10) is None
    assert status(fed) is None
    assert +fed.folding.counts == {}


def test_a_redriven_job_starts_again(fed: Fed) -> None:
    fed.feed(ledger("j", "failed", revision=2), retry("j", "running", revision=3))
    assert state(fed) == "running"
    fed.feed(ledger("j", revision=4))
    assert state(fed) == "completed"


def test_after_a_fence_only_its_writer_counts(fed: Fed) -> None:
    fed.feed(retry("j"), fence(RETRY, 2, term=5), retry("j", "running", writer=1, revision=9))
    fed.feed(fence(RETRY, 1, term=4), tombstone(RETRY, "j", writer=1))
    assert state(fed) == "retrying"
    fed.feed(retry("j", "running", writer=2, revision=2))
    assert state(fed) == "running"


def test_fences_and_positions_outlive_a_restart(fed: Fed) -> None:
    fed.feed(fence(RETRY, 2, term=5), retry("j", writer=2))
    fed.close()
    fed.open()
    fed.feed(retry("j", "running", writer=1, revision=9))
    assert state(fed) == "retrying"
    assert fed.folding.positions[RETRY, 0] == 3
    before = retry("j", "running", writer=2, revision=9)
    before.offset = 1
    assert fed.feed(before) == set(), "what was read once is not read again"


def test_expired_jobs_are_swept_and_an_id_may_live_again(fed: Fed) -> None:
    fed.feed(request("j"), ledger("j", revision=7, expires_ms=NOW_MS + 50))
    fed.now_ms += 100
    fed.feed(request("j", ms=fed.now_ms))
    assert state(fed) == "pending"
    fed.feed(ledger("j", revision=1, expires_ms=fed.now_ms + 50))
    fed.now_ms += 100
    fed.folding.sweep(JOB, 10)
    assert status(fed) is None
    assert [key[:1] for key, _ in fed.store.scan(b"") if key[:1] not in (FOLD, META, WRITES, b"c")] == []


def test_counts_follow_the_jobs(fed: Fed) -> None:
    fed.feed(request("a"), request("b"), request("c", task="other"))
    fed.feed(ledger("a"))
    assert +fed.folding.counts == {
        lane("mail", "pending"): 1,
        lane("mail", "completed"): 1,
        lane("other", "pending"): 1,
    }
    kept = dict(fed.folding.counts)
    fed.close()
    fed.open()
    assert +fed.folding.counts == {key: number for key, number in kept.items() if number}


def test_answers_cursors_and_letters_are_kept_apart_from_jobs(fed: Fed) -> None:
    answer = encode_state({"state": "answered", "answer": "cancelled"}, expires_ms=NOW_MS + 5, writer=1)
    cursor = encode_state({"state": "schedule", "next_ms": 5}, due_ms=5, writer=1)
    letter = Record(
        "app.flights.dlq", b"k", b"v", [("headrace-job-id", b"j"), ("headrace-attempts", b"9" * 99)]
    )
    changed = fed.feed(
        Record(LEDGER, b"command/c1", answer), Record(RETRY, b"schedule/nightly", cursor), letter
    )
    assert changed == {"command/c1"}
    assert b"cancelled" in (fed.store.get(ANSWER + b"c1") or b"")
    assert fed.store.get(CURSOR + b"nightly") is not None
    assert fed.folding.counts[LETTERS + b"flights"] == 1
    fed.now_ms += 10
    fed.folding.forget_answers(10)
    fed.folding.forget_letters({("app.flights.dlq", 0): 1}, 10)
    assert fed.store.get(ANSWER + b"c1") is None
    assert fed.folding.counts[LETTERS + b"flights"] == 0


def test_equal_requests_are_one_job(fed: Fed) -> None:
    fed.feed(request("j", ms=NOW_MS + 1), request("j", ms=NOW_MS + 2))
    found = status(fed)
    assert found is not None
    assert found.origin is not None
    assert found.origin.offset == 0


RANKS = {"pending": 0, "running": 1, "retrying": 1, "failed": 2, "completed": 2}


def life() -> dict[str, list[Record]]:
    return {
        "app.jobs": [request("j")],
        RETRY: [
            fence(RETRY, 1),
            retry("j", "running", revision=1),
            retry("j", "retrying", revision=2),
            tombstone(RETRY, "j"),
            fence(RETRY, 2, term=1),
            retry("j", "retrying", revision=9, writer=1),
        ],
        LEDGER: [fence(LEDGER, 1), ledger("j", revision=3), fence(LEDGER, 2, term=1)],
    }


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["app.jobs", RETRY, LEDGER]), max_size=12))
def test_however_topics_are_read_a_job_never_goes_backwards(order: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fed = Fed(Path(folder))
        queues = life()
        last = (-1, -1)
        for topic in itertools.chain(order, *([name] * 6 for name in queues)):
            if not queues[topic]:
                continue
            fed.feed(queues[topic].pop(0))
            found = status(fed)
            now = (-1, -1) if found is None else (found.revision, RANKS[found.state])
            assert now >= last
            last = now
        assert state(fed) == "completed"
        fed.close()


def _nested(depth: int) -> bytes:
    body = b'{"state":"completed","task":"t","attempt":1,"result":%s%s}' % (b"[" * depth, b"]" * depth)
    return struct.pack(">QQQQI", 0, 0, 1, 1, len(body)) + body


@pytest.mark.parametrize(
    "value", [b"x" * 40, encode_state({"at": 1}), encode_state({})[:-1] + b"[", _nested(1_022), _nested(300)]
)
def test_what_is_no_job_breaks_nothing(fed: Fed, value: bytes) -> None:
    assert (
        fed.feed(Record(RETRY, b"k", value), Record(LEDGER, None, value), Record(RETRY, b"s", b"x")) == set()
    )


def test_a_result_of_many_lists_is_a_job(fed: Fed) -> None:
    fed.feed(ledger("j", result=[[[n]] for n in range(1_000)]))
    fed.feed(retry("j", revision=0))
    assert state(fed) == "completed"


@given(st.lists(st.tuples(st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=60))))
@settings(deadline=None, max_examples=50)
def test_foreign_bytes_break_nothing(found: list[tuple[Any, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fed = Fed(Path(folder))
        for topic in ("app.jobs", RETRY, LEDGER, "app.flights.dlq"):
            fed.feed(*(Record(topic, key, value, [("x", b"\xff")]) for key, value in found))
        fed.close()
