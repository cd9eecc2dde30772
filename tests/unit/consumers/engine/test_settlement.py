import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from consumers.engine.decisions import REROUTED
from consumers.engine.group import Planner, TooLargeToKeep
from consumers.engine.settlement import Settlement
from consumers.engine.statedb import Change
from consumers.engine.statelog import StateLogClosed
from consumers.errors import OutputFailed
from consumers.outcomes import COMPLETED, DeadLettered, Failure, RetryLater
from schemas.deadletter import Reason
from schemas.job import JobState
from tests.unit.consumers.engine.orders import NOW_MS, PEN, a_job, a_task

WHY = Failure("ValueError", "no")


class World:
    """What surrounds a settlement, and the order in which it was called."""

    topic, partition = "A.orders.retry", 0

    def __init__(self):
        self.calls, self.acked, self.counted, self.refused = [], [], [], set()
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.retry, self.ledger = self._log("retry"), self._log("ledger")

    def _log(self, name):
        async def append(changes):
            if self.closed:
                raise StateLogClosed(name, 0)
            self.calls.append((name, [change.id for change in changes]))
            return len(self.calls)

        def apply(changes, *, offset, now_ms):
            self.calls.append((f"{name} stored", [change.id for change in changes]))

        return SimpleNamespace(append=append, apply=apply, topic=name, partition=0)

    async def may_write(self):
        await self.gate.wait()

    async def send_letters(self, topic, partition, letters):
        self.calls.append(("letters", [letter.key for letter in letters]))

    async def send(self, *given):
        if len(given) > 1:  # a report through the outbox
            self.calls.append(("report", given[0]))
            if "report" in self.refused:
                raise OutputFailed("refused")
            return
        self.calls.append(("outputs", given[0]))
        if given[0][0] in self.refused:
            raise OutputFailed("refused")


@asynccontextmanager
async def settling(**planned):
    world = World()
    settlement = Settlement(
        planner=Planner(pen=PEN, max_result_bytes=100, **planned),
        retry=world.retry,
        ledger=world.ledger,
        letters_topic="A.orders.dlq",
        outbox=world,
        sending=world,
        may_write=world.may_write,
        now_ms=lambda: NOW_MS,
        decide=lambda job, error: RetryLater(NOW_MS + 5, Failure("OutputFailed", str(error))),
        acked=lambda settled: world.acked.extend((job.id, type(decision)) for job, decision in settled),
        parked=lambda: world.calls.append(("parked", None)),
        counted=lambda was, now: world.counted.append((was, now)),
        settled_in=lambda seconds: None,
        app_id="A",
        gather_seconds=0.0,
    )
    running = asyncio.create_task(settlement.run())
    try:
        yield world, settlement
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def steps(world):
    return [name for name, _ in world.calls]


async def test_outputs_then_phase_one_then_ledger_then_tombstones_then_disk_then_ack():
    async with settling() as (world, settlement):
        settlement.submit(a_job("done", outputs=["o"], stored=JobState.RETRYING), COMPLETED)
        settlement.submit(a_job("bad"), DeadLettered(Reason.FAILED, WHY))
        settlement.submit(a_job("later"), RetryLater(NOW_MS + 5, WHY))
        await settlement.idle()
    assert world.calls == [
        ("outputs", ["o"]),
        ("letters", [b"k"]),
        ("retry", [b"later"]),
        ("ledger", [b"done", b"bad"]),
        ("retry", [b"done"]),
        ("retry stored", [b"later", b"done"]),
        ("ledger stored", [b"done", b"bad"]),
        ("parked", None),
    ]
    assert [id for id, _ in world.acked] == ["done", "bad", "later"]
    assert world.counted == [(JobState.RETRYING, None), (None, JobState.RETRYING)]


async def test_what_ends_while_a_group_is_written_goes_into_the_next():
    async with settling() as (world, settlement):
        world.gate.clear()
        settlement.submit(a_job("a"), COMPLETED)
        await asyncio.sleep(0)
        settlement.submit(a_job("b"), COMPLETED)
        settlement.submit(a_job("c"), COMPLETED)
        world.gate.set()
        await settlement.idle()
    assert [ids for name, ids in world.calls if name == "ledger"] == [[b"a"], [b"b", b"c"]]


async def test_a_refused_output_fails_its_own_attempt_alone():
    async with settling() as (world, settlement):
        world.refused = {"bad"}
        settlement.submit(a_job("a", outputs=["bad"]), COMPLETED)
        settlement.submit(a_job("b", outputs=["good"]), COMPLETED)
        await settlement.idle()
    assert [(id, kind.__name__) for id, kind in world.acked] == [("a", "RetryLater"), ("b", "Completed")]


async def test_outputs_of_a_failed_attempt_are_not_sent():
    async with settling() as (world, settlement):
        settlement.submit(a_job("a", outputs=["o"]), RetryLater(NOW_MS + 5, WHY))
        await settlement.idle()
    assert "outputs" not in steps(world)


async def test_a_hop_that_is_refused_is_a_letter():
    async with settling() as (world, settlement):
        world.refused = {"hop"}
        settlement.submit(a_job("", outputs=["hop"]), REROUTED)
        await settlement.idle()
    assert world.acked == [("", DeadLettered)]
    assert steps(world) == ["outputs", "letters"]


async def test_a_refused_report_does_not_undo_the_end():
    async with settling() as (world, settlement):
        world.refused = {"report"}
        settlement.submit(a_job(task=a_task(announce=True)), COMPLETED)
        await settlement.idle()
    assert steps(world) == ["report", "ledger", "ledger stored"]
    assert world.acked


async def test_remembering_returns_once_it_is_durable():
    async with settling() as (world, settlement):
        jobs = [a_job("a"), a_job("b")]
        await settlement.remember([])
        await settlement.remember(jobs)
        assert steps(world) == ["retry", "retry stored", "parked"]
        assert [job.stored for job in jobs] == [JobState.RUNNING] * 2


async def test_one_too_large_to_remember_does_not_hold_up_its_neighbour():
    async with settling(max_record_bytes=600) as (world, settlement):
        large, small = a_job("large", steps={"x": "x" * 1000}), a_job("small")
        with pytest.raises(TooLargeToKeep):
            await settlement.remember([large, small])
        assert world.calls[0] == ("retry", [b"small"])
        assert (large.stored, small.stored) == (None, JobState.RUNNING)


async def test_that_an_attempt_runs_is_not_written_above_its_end():
    async with settling() as (world, settlement):
        job = a_job("a")
        waiting = asyncio.create_task(settlement.remember([job]))
        settlement.submit(job, COMPLETED)
        await waiting
    assert steps(world) == ["ledger", "ledger stored"]


async def test_a_leftover_is_removed():
    async with settling() as (world, settlement):
        settlement.forget(Change(b"old", None, 5))
        await settlement.idle()
    assert world.calls == [("retry", [b"old"]), ("retry stored", [b"old"])]


async def test_a_lost_partition_acks_nothing_and_lets_nobody_wait():
    async with settling() as (world, settlement):
        world.closed = True
        settlement.submit(a_job("a"), COMPLETED)
        with pytest.raises(StateLogClosed):
            await settlement.remember([a_job("b")])
        await settlement.idle()
    assert world.acked == []
