import pytest

from events.status.query import BadCursor, JobQuery, children_of, find
from schemas.job import JobState
from tests.unit.events.status.records import NOW_MS, Fed, ledger, request, retry


def ids(fed: Fed, **wanted: object) -> list[str]:
    page = find(fed.store, lambda: dict(fed.folding.counts), JobQuery(**wanted), fed.now_ms)  # type: ignore[arg-type]
    return [job.job_id for job in page.jobs]


def pages(fed: Fed, limit: int) -> list[list[str]]:
    found, cursor = [], None
    while True:
        query = JobQuery(limit=limit, cursor=cursor)
        page = find(fed.store, lambda: dict(fed.folding.counts), query, fed.now_ms)
        found.append([job.job_id for job in page.jobs])
        if found[-1]:
            fed.feed(request(f"new-{len(found)}", ms=NOW_MS + 1000))
        cursor = page.cursor
        if cursor is None:
            return found


def test_jobs_are_found_newest_first_by_task_state_and_time(fed: Fed) -> None:
    fed.feed(request("a", ms=NOW_MS), request("b", ms=NOW_MS + 1), request("c", task="other", ms=NOW_MS + 2))
    fed.feed(ledger("a", enqueued_ms=NOW_MS))
    assert ids(fed) == ["c", "b", "a"]
    assert ids(fed, task="mail") == ["b", "a"]
    assert ids(fed, state=JobState.PENDING) == ["c", "b"]
    assert ids(fed, task="mail", state=JobState.COMPLETED) == ["a"]
    assert ids(fed, since_ms=NOW_MS + 1, until_ms=NOW_MS + 2) == ["b"]
    assert ids(fed, task="mai") == []


def test_a_cursor_goes_on_where_the_page_ended_whatever_comes(fed: Fed) -> None:
    fed.feed(*(request(f"j{number}", task=f"t{number % 3}", ms=NOW_MS + number) for number in range(7)))
    assert pages(fed, 3) == [["j6", "j5", "j4"], ["j3", "j2", "j1"], ["j0"]]


@pytest.mark.parametrize("cursor", ["!", "AAAA", "ä", ""])
def test_a_cursor_of_somebody_else_is_refused(fed: Fed, cursor: str) -> None:
    with pytest.raises(BadCursor):
        find(fed.store, dict, JobQuery(cursor=cursor, parent="p"), fed.now_ms)


def test_jobs_are_found_by_what_caused_them(fed: Fed) -> None:
    event = ["e-1", "flight.departed", "/flights"]
    fed.feed(
        ledger("a", event=event),
        ledger("b", event=["b", "headrace.job.requested.v1", "/headrace/app"]),
        retry("c", parent="a", root="r", schedule="nightly"),
        retry("d", parent="a", enqueued_ms=NOW_MS + 1),
    )
    assert ids(fed, event_id="e-1") == ["a"]
    assert ids(fed, event_id="b") == []
    assert ids(fed, parent="a") == ["d", "c"]
    assert ids(fed, root="r") == ids(fed, schedule="nightly") == ["c"]
    assert ids(fed, parent="a", state=JobState.COMPLETED) == []
    assert children_of(fed.store, "a", 10) == ["d", "c"]


def test_expired_jobs_are_not_listed(fed: Fed) -> None:
    fed.feed(ledger("a", expires_ms=NOW_MS + 1))
    fed.now_ms += 1
    assert ids(fed) == []
