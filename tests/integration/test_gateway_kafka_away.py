"""Without Kafka the gateway starts, answers 503 with Retry-After in time, and works once it is back."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.topics import jobs_source, registry_topic
from tests.integration.conftest import OwnBroker
from tests.integration.gateways import announce, gateway
from tests.waiting import until

BODY: dict[str, Any] = {"task": "any", "args": {}}


async def test_503_while_kafka_is_away(own_broker: OwnBroker, app_id: str) -> None:
    broker = own_broker()
    address = broker.bootstrap_servers
    await _prepare(address, app_id)
    async with gateway(address, app_id, gateway_kafka_timeout_seconds=2.0) as running:
        assert (await running.client.post("/jobs", json=BODY)).status_code == 202
        broker.freeze()
        for path, body in (("/jobs", BODY), ("/jobs/bulk", [BODY, BODY])):
            answer = await running.client.post(path, json=body)
            if path == "/jobs":
                assert answer.status_code == 503
                assert answer.headers["retry-after"]
                assert answer.json()["type"] == "/problems/kafka-unavailable"
                assert answer.json()["job_id"]
            else:
                assert [each["status"] for each in answer.json()["results"]] == [503, 503]
        assert (await running.client.get("/health/live")).status_code == 200
        broker.thaw()

        async def taken() -> bool:
            return (await running.client.post("/jobs", json=BODY)).status_code == 202

        await until(taken, within_seconds=60)


async def test_it_starts_before_kafka(app_id: str) -> None:
    async with gateway("127.0.0.1:1", app_id, wait=False, gateway_kafka_timeout_seconds=1.0) as running:
        ready = await running.client.get("/health/ready")
        job = await running.client.post("/jobs", json=BODY)
    assert (ready.status_code, ready.json()["missing"]) == (503, ["kafka", "registry", "jobs"])
    assert (job.status_code, job.json()["type"]) == (503, "/problems/kafka-unavailable")
    assert job.headers["retry-after"]


async def _prepare(broker: str, app_id: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        names = [registry_topic(app_id), *jobs_source(app_id).topics]
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in names])
    finally:
        await admin.close()
    await announce(broker, app_id, {"task": "any", "schema": None, "on": []})
