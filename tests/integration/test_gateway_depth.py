"""A lane that holds as many jobs as it may takes no more, until workers have done some."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.topics import jobs_topic
from tests.integration.conftest import MakeTopic
from tests.integration.gateways import EMAIL, announced_topics, gateway
from tests.waiting import until


async def test_429_until_jobs_are_done(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    other = {**EMAIL, "task": "other", "max_depth": 1}
    await announced_topics(make_topic, broker, app_id, EMAIL, other, partitions=1)
    async with gateway(broker, app_id, gateway_max_depth={"send_email/normal": 3}) as running:

        async def ask(task: str = "send_email", **options: object) -> int:
            body = {"task": task, "args": {"to": "a"}, "options": options}
            return (await running.client.post("/jobs", json=body)).status_code

        async def full() -> bool:
            return await ask() == 429

        await until(full)
        waiting = running.parts.seen.depths.of(jobs_topic(app_id), "send_email")
        assert waiting >= 3
        bulk = await running.client.post("/jobs/bulk", json=[{"task": "send_email", "args": {"to": "a"}}])
        assert bulk.json()["results"][0]["problem"]["limit"] == 3
        assert await ask(priority="high") == 202, "another lane"
        assert await ask("other") == 202
        await until(lambda: _is_full(ask, "other"), saying="what the task announces holds too")
        await _commit(broker, app_id, waiting)

        async def free() -> bool:
            return await ask() == 202

        await until(free)


async def _is_full(ask: object, task: str) -> bool:
    return await ask(task) == 429  # type: ignore[operator]


async def _commit(broker: str, app_id: str, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, group_id=app_id, enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(jobs_topic(app_id), 0)
        consumer.assign([place])
        await consumer.commit({place: offset})
    finally:
        await consumer.stop()
