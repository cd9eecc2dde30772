import pytest

from schemas.command import Command
from schemas.job import JobState
from tests.unit.consumers.engine.whole import TOPIC, whole
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("batches_in_memory")


CANCELLED = {"command": "cancel", "job_id": "j", "answer": "cancelled", "job_state": "cancelled"}


async def test_a_job_that_waits_in_its_lane_is_cancelled_and_those_behind_it_go_on():
    async with whole() as world:
        for id in ("first", "j", "last"):
            await world.enqueue(id, key="k")
        await until(lambda: world.ran == ["first"])
        assert await world.ask(Command.CANCEL, reason="not wanted") == CANCELLED
        document = world.stored("j").document
        assert (document["state"], document["attempt"]) == ("cancelled", 0)
        assert (document["cancel_reason"], document["cancelled_by"]) == ("not wanted", "c1")
        world.gate.set()
        await until(lambda: world.state("last") == "completed")
        assert world.ran == ["first", "last"]
        assert world.tracker.live == {}
        assert ("j", "Cancelled") in world.reported


async def test_the_head_of_a_lane_that_has_not_started_lets_the_next_one_go():
    async with whole() as world:
        world.runners.max_jobs = 0  # nothing starts
        for id in ("j", "last"):
            await world.enqueue(id, key="k")
        assert await world.ask(Command.CANCEL) == CANCELLED
        world.gate.set()
        world.runners.max_jobs = 1
        await world.enqueue("other")
        await until(lambda: world.state("last") == "completed")
        assert "j" not in world.ran


async def test_a_job_without_a_key_that_has_no_slot_yet():
    async with whole() as world:
        for id in ("a", "b", "j"):
            await world.enqueue(id)
        await until(lambda: len(world.ran) == 2)
        assert await world.ask(Command.CANCEL) == CANCELLED
        world.gate.set()
        await until(lambda: world.state("b") == "completed")
        assert world.ran == ["a", "b"]


async def test_a_running_one_is_told_to_end_and_never_tried_again():
    async with whole() as world:
        await world.enqueue("j")
        await until(lambda: world.ran)
        answer = await world.ask(Command.CANCEL)
        assert (answer["answer"], answer["job_state"]) == ("cancelling", "running")
        await until(lambda: world.state("j") == "cancelled")
        assert world.stored("j").document["attempt"] == 1
        assert world.parked("j") is None
        again = await world.ask(Command.CANCEL, id="c2")
        assert (again["answer"], again["job_state"]) == ("already_finished", "cancelled")


async def test_that_a_running_one_was_told_outlives_its_worker():
    async with whole() as world:
        await world.enqueue("j", "thread")
        await until(lambda: world.ran)
        kept = []
        apply = world.retry.apply
        world.retry.apply = lambda changes, **more: (kept.extend(changes), apply(changes, **more))
        await world.ask(Command.CANCEL, reason="enough")
        await until(lambda: world.state("j"))
        (running,) = [change for change in kept if change.id == b"j" and change.value is not None]
    async with whole() as later:
        later.retry.apply([running], offset=1, now_ms=later.now)
        await later.parking.fire()
        await until(lambda: later.state("j") == "cancelled")
        assert later.stored("j").document["cancel_reason"] == "enough"
        assert later.ran == []


async def test_a_thread_that_never_looked_completed_and_one_that_did_is_cancelled():
    async with whole() as world:
        await world.enqueue("blind", "thread")
        await world.enqueue("j", "thread", args={"looks": True})
        await until(lambda: len(world.ran) == 2)
        for id in ("blind", "j"):
            answer = await world.ask(Command.CANCEL, about=id, id=f"c-{id}")
            assert answer["answer"] in ("cancelling", "already_finished", "cancelled")
        await until(lambda: world.state("blind") and world.state("j"))
        assert (world.state("blind"), world.state("j")) == ("completed", "cancelled")


async def test_a_parked_one_is_cancelled_at_once():
    async with whole() as world:
        await world.enqueue("j", defer_by=60)
        await until(lambda: world.parked("j"))
        assert await world.ask(Command.CANCEL) == CANCELLED
        assert world.parked("j") is None
        assert world.stored("j").document["attempt"] == 0
        world.now += 61_000
        assert await world.parking.fire() == 0


async def test_one_that_finished_says_so():
    async with whole() as world:
        world.gate.set()
        await world.enqueue("j")
        await until(lambda: world.state("j"))
        answer = await world.ask(Command.CANCEL)
        assert (answer["answer"], answer["job_state"]) == ("already_finished", "completed")


async def test_one_that_nobody_knows():
    async with whole() as world:
        assert (await world.ask(Command.CANCEL))["answer"] == "unknown_job"


async def test_one_that_is_still_to_come_is_known_when_it_comes():
    async with whole() as world:
        await world.enqueue("before")
        assert await world.ask(Command.CANCEL, at=[TOPIC, 0, 1], task="work") == CANCELLED
        read = world.request("j")
        assert world.partition.admit([read]) == []
        await until(lambda: not world.partition.in_flight.keys() & {"j"})
        assert "j" not in world.ran
        other = world.request("j")
        assert world.partition.admit([other]) == []  # an equal request at another place


async def test_only_a_place_of_this_partition_that_nobody_read_yet_counts():
    async with whole() as world:
        await world.enqueue("before")
        for number, at in enumerate(([TOPIC, 0, 0], [TOPIC, 1, 9], ["other", 0, 9], [TOPIC, 0], None, 5)):
            answer = await world.ask(Command.CANCEL, id=f"c{number}", at=at)
            assert answer["answer"] == "unknown_job"


async def test_the_same_command_twice_answers_the_same():
    async with whole() as world:
        await world.enqueue("j", defer_by=60)
        await until(lambda: world.parked("j"))
        first = await world.ask(Command.CANCEL)
        assert await world.ask(Command.CANCEL) == first
        world.ledger.db._db.content.pop(b"j:command/c1")  # a crash before the answer was durable
        assert await world.ask(Command.CANCEL) == first


async def test_an_equal_request_that_waited_behind_it_is_a_duplicate():
    async with whole() as world:
        await world.enqueue("j", key="k")
        twin = world.request("j", key="k")
        assert world.partition.admit([twin]) == []
        await until(lambda: world.ran)
        await world.ask(Command.CANCEL)
        await until(lambda: ("j", "Skipped") in world.reported)
        assert world.ran == ["j"]
        assert world.tracker.live == {}


async def test_a_failing_job_is_not_tried_again_once_it_was_cancelled():
    async with whole() as world:
        job = await world.enqueue("j", args={"fails": "no"})
        await until(lambda: world.ran)
        job.cancel_reason = "no more"
        world.gate.set()
        await until(lambda: world.state("j") == "cancelled")
        assert job.stored is not JobState.RETRYING
