import orjson

from events.status.known import Known, Progress
from events.topics import Kind

HERE, THERE = ("app.jobs", 0), ("app.jobs", 1)


def test_steps_add_up() -> None:
    known = Known()
    known.take(Progress(positions={HERE: 1, THERE: 2}, counts={b"a": 1}, places=frozenset({HERE, THERE})))
    known.take(Progress(positions={HERE: 5}, counts={b"a": 2, b"b": 1}, fresh_at=7.0))
    known.take(Progress())
    assert known.positions == {HERE: 5, THERE: 2}
    assert known.counts == {b"a": 2, b"b": 1}
    assert known.places == {HERE, THERE}
    assert known.fresh_at == 7.0


def test_who_begins_anew_tells_all_but_what_workers_announce() -> None:
    worker = (Kind.WORKERS, b"worker-1", orjson.dumps({"started_ms": 1}))
    known = Known()
    known.take(Progress(positions={HERE: 9}, counts={b"a": 9}, announced=[worker]))
    known.take(Progress(positions={THERE: 1}, counts={b"b": 1}, anew=True))
    assert known.positions == {THERE: 1}
    assert known.counts == {b"b": 1}
    assert known.announced.workers == {"worker-1": {"started_ms": 1}}
