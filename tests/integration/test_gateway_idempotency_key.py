"""An Idempotency-Key names one job on every replica, asked at the same moment, and after a restart."""

import asyncio

from tests.integration.conftest import MakeTopic
from tests.integration.gateways import Gateway, announced_topics, gateway, requests_of

KEYS = 40


async def test_two_replicas_agree_who_was_first(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    """Each key is used for two bodies at the same moment on two replicas: one body wins on both."""
    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id) as one, gateway(broker, app_id) as other:
        answers = await asyncio.gather(
            *(_ask(replica, key, to) for key in range(KEYS) for replica, to in ((one, "a"), (other, "b")))
        )
        winners: dict[int, str] = {}
        for key in range(KEYS):
            first, second = answers[2 * key], answers[2 * key + 1]
            assert sorted((first[0], second[0])) == [202, 422], (first, second)
            assert first[1] == second[1], "both name the same job"
            winners[key] = "a" if first[0] == 202 else "b"
        again = await asyncio.gather(
            *(_ask(replica, key, winners[key]) for key in range(KEYS) for replica in (one, other))
        )
        written = len(await requests_of(broker, app_id))
    assert [status for status, _ in again] == [202] * 2 * KEYS
    requests = await requests_of(broker, app_id)
    assert len(requests) == written, "a repeat writes nothing"
    # What workers run of equal job ids is the first in the partition.
    ran: dict[str, str] = {}
    for request in requests:
        ran.setdefault(request.job_id, request.args["to"])
    assert ran == {answers[2 * key][1]: winners[key] for key in range(KEYS)}


async def test_a_restart_remembers_keys(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id) as before:
        status, job_id = await _ask(before, 1, "a")
        assert status == 202
    async with gateway(broker, app_id) as after:
        assert await _ask(after, 1, "a") == (202, job_id)
        assert await _ask(after, 1, "b") == (422, job_id)
        bulk = [{"task": "send_email", "args": {"to": "a"}}, {"task": "send_email", "args": {"to": "b"}}]
        first = await _bulk(after, bulk)
        assert first == await _bulk(after, bulk)
        changed = await after.client.post(
            "/jobs/bulk", json=[bulk[0], bulk[0]], headers={"Idempotency-Key": "all"}
        )
        assert [result["status"] for result in changed.json()["results"]] == [202, 422]
    assert len(await requests_of(broker, app_id)) == 3


async def test_a_key_excludes_a_job_id(broker: str, app_id: str, make_topic: MakeTopic) -> None:
    await announced_topics(make_topic, broker, app_id)
    async with gateway(broker, app_id) as running:
        body = {"task": "send_email", "args": {"to": "a"}, "options": {"job_id": "mine"}}
        answer = await running.client.post("/jobs", json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/options/job_id"


async def _ask(replica: Gateway, key: int, to: str) -> tuple[int, str]:
    body = {"task": "send_email", "args": {"to": to}}
    answer = await replica.client.post("/jobs", json=body, headers={"Idempotency-Key": f"key-{key}"})
    return answer.status_code, answer.json()["job_id"]


async def _bulk(replica: Gateway, items: list[dict[str, object]]) -> list[str]:
    answer = await replica.client.post("/jobs/bulk", json=items, headers={"Idempotency-Key": "all"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(items)
    return [result["job_id"] for result in answer.json()["results"]]
