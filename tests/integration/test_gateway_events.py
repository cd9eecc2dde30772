"""POST /events: the three modes of the CloudEvents HTTP binding end as the same records on Kafka."""

from typing import Any

from events import codec
from events.log_reader import LogReader
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from tests.integration.conftest import MakeTopic
from tests.integration.gateways import announced_topics, gateway

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "source": "/shop",
    "type": "order.placed",
    "partitionkey": "customer-7",
    "data": {"amount": 3},
}


def _binary(id: str, type: str = "order.placed") -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": "/shop",
        "ce-type": type,
        "ce-subject": "gr%C3%BC%C3%9Fe",
        "content-type": "application/json",
    }


async def test_events_reach_the_topic_tasks_take_them_from(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:
    orders, other = await make_topic("orders"), await make_topic("other")
    tasks = [
        {"task": "ship", "schema": None, "on": [{"topic": orders, "type": "order.placed", "version": 1}]},
        {"task": "one", "schema": None, "on": [{"topic": orders, "type": "both", "version": 1}]},
        {"task": "two", "schema": None, "on": [{"topic": other, "type": "both", "version": 1}]},
    ]
    await announced_topics(make_topic, broker, app_id, *tasks)
    structured = {"content-type": "application/cloudevents+json"}
    batched = {"content-type": "application/cloudevents-batch+json"}
    async with gateway(broker, app_id) as running:
        post = running.client.post
        binary = await post("/events", content=b'{"amount":3}', headers=_binary("b"))
        single = await post("/events", json={**EVENT, "id": "s"}, headers=structured)
        many = await post("/events", json=[{**EVENT, "id": "m1"}, {**EVENT, "id": "m2"}], headers=batched)
        chosen = await post(f"/events?topic={other}", content=b"1", headers=_binary("c", "both"))
        several = await post("/events", content=b"1", headers=_binary("d", "both"))
        foreign = await post(f"/events?topic={app_id}.jobs", content=b"1", headers=_binary("e"))
        unknown = await post("/events", content=b"1", headers=_binary("f", "nobody.cares"))
        broken = await post("/events", json=[{**EVENT, "id": "x"}, {**EVENT}], headers=batched)
        nothing = await post("/events", content=b"{}", headers={"content-type": "application/json"})
    assert [each.status_code for each in (binary, single, many, chosen)] == [202] * 4
    assert binary.json()["events"][0] == {"id": "b", "topic": orders, "partition": 0, "offset": 0}
    assert [each["id"] for each in many.json()["events"]] == ["m1", "m2"]
    for refused in (several, foreign, unknown):
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/unknown-topic")
    assert broken.json()["errors"][0]["pointer"] == "/1/id"
    assert nothing.json()["errors"][0]["header"] == "ce-specversion"
    events = await _events(broker, app_id, orders)
    assert {event.id: key for key, event in events} == {
        "b": b"b",
        "s": b"customer-7",
        "m1": b"customer-7",
        "m2": b"customer-7",
    }
    for _, event in events:
        assert (event.source, event.type, event.data) == ("/shop", "order.placed", {"amount": 3})
    assert events[0][1].subject == "grüße"


async def _events(broker: str, app_id: str, topic: str) -> list[tuple[bytes, CloudEvent]]:
    async with LogReader(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as reader:
        return [
            (
                each.key,
                codec.decode(
                    key=each.key,
                    value=each.value,
                    headers=each.headers,
                    topic=topic,
                    partition=0,
                    offset=each.offset,
                ),
            )
            async for each in reader.read([topic])
        ]
