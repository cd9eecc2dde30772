"""A large result is not copied through messages: the next step reads it from the ledger it is kept in."""

from pathlib import Path

from events.topics import jobs_topic
from events.workflow import Signature, chain, group, signature
from tests.integration.flows import queue_of
from tests.integration.observing import observing, reader_of

SIZE = 100_000


async def test_a_large_result_travels_as_a_reference(broker: str, app_id: str, tmp_path: Path) -> None:
    async with (
        observing(broker, app_id, tmp_path, "flowing", jobs_partitions=3),
        queue_of(broker, app_id) as queue,
    ):
        large, measure = signature("large", size=SIZE), signature("measure")
        job = await queue.enqueue(chain(large, group(measure, measure), signature("total")))
        joined = await queue.enqueue(chain(group(large, measure_of("short")), signature("lengths")))
        assert await job.result(timeout=60) == 2 * SIZE
        assert await joined.result(timeout=60) == [SIZE, 5]
        async with reader_of(broker, app_id) as reader:
            sizes = [len(record.value) async for record in reader.read([jobs_topic(app_id)])]
        assert max(sizes) < 10_000


def measure_of(text: str) -> Signature:
    return signature("echo", text=text)
