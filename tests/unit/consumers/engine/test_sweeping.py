import asyncio
from types import SimpleNamespace

from consumers.engine import sweeping
from consumers.engine.statedb import RECORD
from consumers.engine.sweeping import sweep


class Ledger:
    def __init__(self, partition, answers):
        self.partition, self.answers, self.starts = partition, answers, []
        self.db = self

    def sweep(self, start, limit, now_ms):
        self.starts.append(start)
        answer = self.answers.pop(0)
        self.partition.lost = not self.answers
        return answer


async def test_a_round_goes_on_where_it_stopped_and_the_next_begins_anew(monkeypatch):
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)
    partition = SimpleNamespace(lost=False)
    partition.ledger = Ledger(partition, [b"j:1", b"j:2", None, b"j:3"])
    async with asyncio.timeout(5):
        await sweep(partition, lambda: 0, interval_seconds=0)
    assert partition.ledger.starts == [RECORD, b"j:1", b"j:2", RECORD]


async def test_a_partition_whose_database_is_closed_is_left_alone(monkeypatch):
    partition = SimpleNamespace(lost=False, ledger=SimpleNamespace(db=None))
    sweeper = asyncio.create_task(sweep(partition, lambda: 0, interval_seconds=0))
    for _ in range(5):
        await asyncio.sleep(0)
    partition.lost = True
    async with asyncio.timeout(5):
        await sweeper
