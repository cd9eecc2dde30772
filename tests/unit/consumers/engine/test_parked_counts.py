from types import SimpleNamespace

import pytest

from consumers.engine import records as records_module
from consumers.engine.parked_counts import ParkedCounts
from consumers.engine.statedb import Change, StateDb
from schemas.job import JobState
from schemas.state import encode_state
from tests.unit.consumers.engine.memory import MemoryRocks
from tests.unit.consumers.engine.orders import a_job


def partition(states, *, writer=7, lost=False):
    db = StateDb(MemoryRocks(), indexed=True)
    document = records_module.document(a_job(), JobState.RETRYING)
    records = [
        Change(
            b"%d" % number, encode_state(document | {"state": state}, due_ms=1, writer=by, raw=a_job().raw)
        )
        for number, (state, by) in enumerate(states)
    ]
    db.apply(records, offset=0, now_ms=0)
    return SimpleNamespace(retry=SimpleNamespace(db=db, writer=writer), lost=lost)


def test_a_job_counts_where_it_is_parked_and_only_there():
    counts = ParkedCounts()
    counts.settled(None, JobState.SCHEDULED)
    counts.settled(None, JobState.RETRYING)
    assert counts.by_kind == {"retry": 1, "delay": 1}
    counts.settled(JobState.SCHEDULED, JobState.RUNNING)
    counts.settled(JobState.RETRYING, None)
    counts.settled(None, None)
    assert counts.by_kind == {"retry": 0, "delay": 0}


@pytest.mark.usefixtures("batches_in_memory")
async def test_stock_is_taken_of_what_others_parked(monkeypatch):
    monkeypatch.setattr("consumers.engine.parked_counts.AT_ONCE", 2)
    counts = ParkedCounts()
    await counts.take_stock(
        partition(
            [("retrying", 1), ("scheduled", 1), ("running", 1), ("retrying", 7), ("retrying", 2)], writer=7
        )
    )
    assert counts.by_kind == {"retry": 2, "delay": 1}


async def test_nothing_is_counted_of_an_empty_or_closed_partition():
    counts = ParkedCounts()
    await counts.take_stock(SimpleNamespace(retry=SimpleNamespace(db=None)))
    assert counts.by_kind == {"retry": 0, "delay": 0}
