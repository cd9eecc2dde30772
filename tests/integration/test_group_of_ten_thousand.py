"""A group of ten thousand joins exactly: no member is missing from the sum, and none counts twice."""

from pathlib import Path

from events.workflow import chain, group, signature
from tests.integration.flows import numbers, queue_of
from tests.integration.observing import observing

MEMBERS = 10_000


async def test_the_sum_of_ten_thousand(broker: str, app_id: str, tmp_path: Path) -> None:
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=4),
        queue_of(broker, app_id) as queue,
    ):
        flow = chain(group(*numbers("number", *range(MEMBERS))), signature("total"))
        job = await queue.enqueue(flow)
        assert await job.result(timeout=60) == sum(range(MEMBERS))
