import pytest

from schemas.command import Command
from tests.unit.consumers.engine.whole import whole
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("batches_in_memory")


async def failed(world, id="j"):
    await world.enqueue(id, args={"fails": "no"})
    world.gate.set()
    for attempt in range(1, 5):
        await until(lambda n=attempt: (it := world.parked(id)) and it.document["attempt"] == n)
        await until(lambda: id not in world.partition.in_flight)
        world.now += 600_000
        await world.parking.fire()
    await until(lambda: world.state(id) == "failed")


async def test_a_parked_job_gets_another_time():
    async with whole() as world:
        world.gate.set()
        await world.enqueue("j", defer_by=60)
        await until(lambda: world.parked("j"))
        answer = await world.ask(Command.RESCHEDULE, due_ms=world.now + 10_000)
        assert answer == {
            "command": "reschedule", "job_id": "j", "answer": "rescheduled", "job_state": "scheduled",
            "due_ms": world.now + 10_000,
        }  # fmt: skip
        world.now += 10_001
        assert await world.parking.fire() == 1
        await until(lambda: world.state("j") == "completed")
        assert world.stored("j").document["attempt"] == 1
        world.now += 60_000
        assert await world.parking.fire() == 0, "its old time is forgotten"


async def test_only_a_parked_job_can_be_moved():
    async with whole() as world:
        await world.enqueue("j")
        await until(lambda: world.ran)
        answer = await world.ask(Command.RESCHEDULE, due_ms=5)
        assert (answer["answer"], answer["job_state"]) == ("not_parked", "running")
        world.gate.set()
        await until(lambda: world.state("j") == "completed")
        assert (await world.ask(Command.RESCHEDULE, id="c2", due_ms=5))["answer"] == "already_finished"
        assert (await world.ask(Command.RESCHEDULE, about="x", id="c3", due_ms=5))["answer"] == "unknown_job"


@pytest.mark.parametrize("due_ms", [None, "now", True, -1, 1 << 60, 1.5])
async def test_a_time_that_is_none_is_refused(due_ms):
    async with whole() as world:
        assert (await world.ask(Command.RESCHEDULE, due_ms=due_ms))["answer"] == "refused"


async def test_a_failed_job_runs_again_with_all_its_tries_and_its_history():
    async with whole() as world:
        await failed(world)
        assert [each["n"] for each in world.stored("j").document["attempts"]] == [1, 2, 3, 4]
        answer = await world.ask(Command.RETRY)
        assert (answer["answer"], answer["job_state"]) == ("redriven", "scheduled")
        await world.parking.fire()
        await until(lambda: (it := world.parked("j")) and it.document["attempt"] == 1)
        attempts = world.parked("j").document["attempts"]
        assert [each["n"] for each in attempts] == [1, 2, 3, 4, 5]
        assert {each["outcome"] for each in attempts} == {"retrying", "failed"}
        assert {each["error"]["message"] for each in attempts} == {"no"}


async def test_a_cancelled_job_can_be_wanted_after_all():
    async with whole() as world:
        world.gate.set()
        await world.enqueue("j", defer_by=60)
        await until(lambda: world.parked("j"))
        await world.ask(Command.CANCEL)
        assert (await world.ask(Command.RETRY, id="c2"))["answer"] == "redriven"
        await world.parking.fire()
        await until(lambda: world.state("j") == "completed")


async def test_a_parked_job_is_retried_now():
    async with whole() as world:
        world.gate.set()
        await world.enqueue("j", defer_by=60)
        await until(lambda: world.parked("j"))
        answer = await world.ask(Command.RETRY)
        assert (answer["answer"], answer["due_ms"]) == ("rescheduled", world.now)


async def test_what_completed_runs_or_is_unknown_is_not_retried():
    async with whole() as world:
        assert (await world.ask(Command.RETRY, id="c0"))["answer"] == "unknown_job"
        await world.enqueue("j")
        await until(lambda: world.ran)
        assert (await world.ask(Command.RETRY))["answer"] == "not_failed"
        world.gate.set()
        await until(lambda: world.state("j") == "completed")
        answer = await world.ask(Command.RETRY, id="c2")
        assert (answer["answer"], answer["job_state"]) == ("not_failed", "completed")


async def test_a_job_whose_record_is_gone_is_not_retried():
    async with whole() as world:
        await failed(world)
        world.originals.clear()
        answer = await world.ask(Command.RETRY)
        assert (answer["answer"], "dropped" in answer["why"]) == ("refused", True)


async def test_commands_nobody_does_are_refused():
    async with whole() as world:
        answer = await world.ask(Command.RUN_SCHEDULE, about="nightly")
        assert (answer["answer"], answer["command"]) == ("refused", "run_schedule")


async def test_a_unique_job_is_dropped_while_its_equal_is_unfinished():
    async with whole() as world:
        await world.enqueue("j", unique=True)
        await until(lambda: world.ran == ["j"])
        assert world.partition.admit([world.request("j", unique=True)]) == []
        await until(lambda: ("j", "Skipped") in world.reported)
        world.gate.set()
        await until(lambda: world.state("j") == "completed")
        await world.enqueue("j", unique=True)
        await until(lambda: world.ran == ["j", "j"])
        await until(lambda: world.tracker.live == {})
        assert world.stored("j").revision == 2
