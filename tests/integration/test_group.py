"""The members of a group run side by side; what comes next gets their results in the order of the group."""

from pathlib import Path

from events.workflow import chain, group, signature
from tests.integration.flows import numbers, queue_of, steps_of
from tests.integration.observing import observing

FIVE = signature("number", value=5)
TWO = [signature("add", left=each, right=each).on_its_own() for each in (1, 2)]


async def test_groups_nest_and_join(broker: str, app_id: str, tmp_path: Path) -> None:
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=3),
        queue_of(broker, app_id) as queue,
    ):
        total = signature("total")
        five = FIVE.on_its_own().options(defer_by=0.2)
        summed = await queue.enqueue(chain(group(*numbers("shaky", 1, 2, 3)), total))
        alone = await queue.enqueue(group(*numbers("number", 3, 1, 2)))
        none = await queue.enqueue(chain(group(), signature("listed")))
        nothing = await queue.enqueue(group())
        deep = await queue.enqueue(
            chain(
                signature("number", value=1),
                group(
                    signature("add", left=10),
                    chain(signature("add", left=20), signature("add", left=100)),
                    group(*[signature("add", left=left) for left in (30, 40)]),
                    chain(group(*TWO), total),
                ),
                group(signature("listed"), chain(five).on_success(signature("hear"))),
                signature("listed"),
            )
        )
        assert await summed.result(timeout=60) == 60
        assert await alone.result(timeout=60) == [3, 1, 2]
        assert await none.result(timeout=60) == []
        assert await nothing.result(timeout=60) == []
        steps = await steps_of(broker, app_id, summed.job_id)
        assert {step: len(records) for step, records in steps.items()} == {
            "1.1": 1,
            "1.2": 1,
            "1.3": 1,
            "2": 1,
        }
        results = [11, 121, [31, 41], 6]
        assert await deep.result(timeout=60) == [results, 5]
