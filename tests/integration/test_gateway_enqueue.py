"""POST /jobs writes the request a client would have written, and refuses what no task would take."""

from tests.integration.conftest import MakeTopic
from tests.integration.gateways import announce, announced_topics, gateway, requests_of
from tests.waiting import until


async def test_jobs_are_taken_and_refused(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id) as running:
        taken = await running.client.post(
            "/jobs", json={"task": "send_email", "args": {"to": "a@b.example"}, "options": {"job_id": "a/1"}}
        )
        later = await running.client.post(
            "/jobs",
            json={"task": "send_email", "args": {"to": "b"}, "options": {"defer_by": 60, "priority": "high"}},
        )
        unknown = await running.client.post("/jobs", json={"task": "send_mail"})
        unfit = await running.client.post(
            "/jobs", json={"task": "send_email", "args": {"to": 1, "copies": "x"}}
        )
        broken = await running.client.post("/jobs", json={"task": "send_email", "options": {"defer_by": -1}})
        large = await running.client.post(
            "/jobs", json={"task": "send_email", "args": {"to": "x" * 1_000_001}}
        )
    assert taken.status_code == 202
    assert taken.json() == {"job_id": "a/1", "status_url": "/jobs/a%2F1", "state": "pending"}
    assert taken.headers["location"] == "/jobs/a%2F1"
    assert taken.headers["retry-after"] == "1"
    assert later.json()["state"] == "scheduled"
    assert (unknown.status_code, unknown.json()["nearest"]) == (404, ["send_email"])
    assert unfit.status_code == 422
    assert {error["pointer"] for error in unfit.json()["errors"]} == {"/args/to", "/args/copies"}
    assert broken.json()["errors"][0]["pointer"] == "/options/defer_by"
    assert (large.status_code, large.json()["type"]) == (413, "/problems/too-large")
    first, second = sorted(await requests_of(broker, app_id), key=lambda each: each.not_before_ms or 0)
    assert (first.task, first.job_id, first.args) == ("send_email", "a/1", {"to": "a@b.example"})
    assert second.not_before_ms


async def test_a_task_is_known_as_soon_as_it_is_announced(
    broker: str, app_id: str, make_topic: MakeTopic
) -> None:

    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id) as running:
        await announce(broker, app_id, {"task": "late", "schema": None, "on": []})

        async def taken() -> bool:
            return (await running.client.post("/jobs", json={"task": "late"})).status_code == 202

        await until(taken)
