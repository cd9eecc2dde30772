"""The read model goes on where it was when Kafka comes back, however long that took."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.queue import JobQueue
from events.settings import ClientSettings
from events.status.reader import StatusReader
from events.status.settings import StatusSettings
from events.topics import jobs_source
from schemas.job import JobState
from tests.integration.conftest import OwnBroker
from tests.waiting import until


async def test_it_reads_on_when_kafka_is_back(own_broker: OwnBroker, app_id: str, tmp_path: Path) -> None:
    broker = own_broker()
    client = ClientSettings(bootstrap_servers=broker.bootstrap_servers, app_id=app_id)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    topics = jobs_source(app_id).topics
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in topics])
    await admin.close()
    settings = StatusSettings(
        bootstrap_servers=broker.bootstrap_servers, app_id=app_id, status_dir=tmp_path / "status"
    )
    async with StatusReader(settings) as reader:
        await until(lambda: reader.ready, within_seconds=30)
        broker.kill()
        await until(lambda: not reader.ready, within_seconds=60, saying="it knows that Kafka is away")
        broker.start()
        async with JobQueue(client) as queue:
            job = await queue.enqueue("any")
        status = await reader.job(job.job_id)
        assert status is not None
        assert status.state is JobState.PENDING
        await until(lambda: reader.ready, within_seconds=30)
