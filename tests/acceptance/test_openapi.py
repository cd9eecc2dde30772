"""The whole OpenAPI against the running gateway: no 5xx, no answer that is not documented, and at least one
good answer of every operation.

Requests are made from the document itself by schemathesis, wrong ones too; the good ones by hand, on jobs
that a real worker holds in the states they need.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import orjson
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from events.broker import LocalBroker
from tests.bench.kafka import make_topic
from tests.integration.gateways import GatewayProcess
from tests.integration.observing import observed_worker, topic_of
from tests.waiting import until

KEY = "headrace_everything"
HEADERS = {"Authorization": f"Bearer {KEY}"}
EXAMPLES = 12
# Long polls and streams end by themselves at their bound; here nobody waits for it.
STREAMING = {"follow_job"}
CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@asynccontextmanager
async def _running(broker: str, app_id: str, folder: Path) -> AsyncIterator[GatewayProcess]:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    schedules = orjson.dumps({"often": {"every": 3600}}).decode()
    modules = "tests.integration.modules.asked,tests.integration.modules.scheduled"
    worker = observed_worker(
        broker, app_id, folder, "asked", HEADRACE_TASK_MODULES=modules, SCHEDULES=schedules
    )
    gateway = GatewayProcess(
        broker,
        app_id,
        folder,
        {
            "HEADRACE_GATEWAY_API_KEYS": f"all:read+submit+operate:{digest}",
            "HEADRACE_GATEWAY_ANSWER_SECONDS": "2",
            "HEADRACE_GATEWAY_EVENT_TOPICS": orjson.dumps({"order.placed": topic_of(app_id)}).decode(),
        },
    )
    try:
        await make_topic(broker, topic_of(app_id))
        await worker.start()
        await gateway.start()
        yield gateway
    finally:
        await gateway.stop()
        await worker.stop()


async def test_every_answer_is_documented(chaos_broker: LocalBroker, tmp_path: Path) -> None:
    app_id = "openapi"
    async with _running(chaos_broker.bootstrap_servers, app_id, tmp_path) as gateway:
        document = httpx2.get(f"{gateway.url}/openapi.json").json()
        good = await _good_requests(gateway.url, tmp_path, _documented(document))
        operations = {
            operation["operationId"]
            for methods in document["paths"].values()
            for operation in methods.values()
        }
        missing = operations - {name for name, status in good.items() if 200 <= status < 300}
        assert not missing, {name: good.get(name) for name in missing}
        statuses, wrong = await asyncio.to_thread(_fuzz, gateway.url, document)
    assert not wrong, "\n\n".join(wrong)
    assert operations - STREAMING <= statuses.keys()
    assert not [status for each in statuses.values() for status in each if status >= 500]


def _fuzz(url: str, document: dict[str, Any]) -> tuple[dict[str, set[int]], list[str]]:
    """(statuses by operation, what is wrong): requests made from the document, right ones and wrong ones."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    seen: dict[str, set[int]] = defaultdict(set)
    wrong: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        if name in STREAMING:
            continue
        for mode in schemathesis.GenerationMode:
            wrong += _fuzz_one(operation, mode, seen[name])
    return seen, wrong


def _fuzz_one(operation: Any, mode: schemathesis.GenerationMode, seen: set[int]) -> list[str]:
    strategy = operation.as_strategy(generation_mode=mode)

    @given(case=strategy)
    @bounded(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        response = case.call(headers=HEADERS, timeout=20)
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=HEADERS)

    try:
        call()
    except Unsatisfiable:
        pass  # nothing can be wrong with this one
    except (AssertionError, ExceptionGroup, schemathesis.errors.SchemathesisError) as error:
        return [f"{operation.label}: {error}"]
    return []


def _documented(document: dict[str, Any]) -> Callable[[str, httpx2.Response], None]:
    """Fails for a response that its operation does not document."""
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }

    def check(operation: str, response: httpx2.Response) -> None:
        answers = operations[operation]["responses"]
        assert str(response.status_code) in answers, (operation, response.status_code, response.text[:500])
        content = answers[str(response.status_code)]["content"]
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type in content, (operation, media_type)
        if media_type.endswith("json"):
            schema = {**content[media_type]["schema"], "components": document["components"]}
            jsonschema_rs.validate(schema, response.json())

    return check


async def _good_requests(
    url: str, folder: Path, check: Callable[[str, httpx2.Response], None]
) -> dict[str, int]:
    """The status of one request that must succeed, by operation."""
    found: dict[str, int] = {}
    async with httpx2.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as client:

        async def ask(operation: str, method: str, path: str, **more: Any) -> httpx2.Response:
            response = await client.request(method, path, **more)
            found[operation] = response.status_code
            check(operation, response)
            return response

        async def enqueue(id: str, task: str, args: dict[str, Any], **options: Any) -> None:
            body = {"task": task, "args": args, "options": {"job_id": id, **options}}
            response = await ask("enqueue", "POST", "/jobs", json=body)
            assert response.status_code == 202, response.text

        async def state(id: str, *wanted: str) -> bool:
            job = (await ask("get_job", "GET", f"/jobs/{id}", params={"wait": "1s"})).json()
            return job.get("state") in wanted

        await enqueue("done/well", "echo", {"value": 1})
        await enqueue("failed", "end", {"how": "fail", "mended": str(folder / "mended")})
        await enqueue("letter", "end", {"how": "fail", "mended": str(folder / "mended")})
        await enqueue("later", "echo", {"value": 2}, defer_by=3600)
        await enqueue("never", "echo", {"value": 3}, defer_by=3600)
        for id, wanted in (("done%2Fwell", "completed"), ("failed", "failed"), ("letter", "failed")):
            await until(lambda id=id, wanted=wanted: state(id, wanted), saying=f"{id} is {wanted}")  # type: ignore[misc]
        letters = (await ask("list_dead_letters", "GET", "/dead-letters")).json()["letters"]
        place = next(each["id"] for each in letters if each["job_id"] == "letter")
        await ask("get_dead_letter", "GET", f"/dead-letters/{place}")
        (folder / "mended").touch()
        await ask("redrive", "POST", f"/dead-letters/{place}/redrive")
        await ask("retry_job", "POST", "/jobs/failed/retry")
        await ask("reschedule_job", "POST", "/jobs/later/reschedule", json={"defer_by": 7200})
        await ask("cancel_job", "POST", "/jobs/never/cancel", json={"reason": "a test"})
        await ask("enqueue_bulk", "POST", "/jobs/bulk", json=[{"task": "echo", "args": {}}])
        await ask("list_jobs", "GET", "/jobs", params={"task": "echo"})
        await ask("job_tree", "GET", "/jobs/failed/tree")
        await ask("follow_job", "GET", "/jobs/done%2Fwell/events")
        event = {"specversion": "1.0", "id": "1", "source": "/t", "type": "order.placed", "data": {}}
        structured = {"content-type": "application/cloudevents+json"}
        await ask("publish", "POST", "/events", content=orjson.dumps(event), headers=structured)
        await until(lambda: _has_schedule(client), saying="the schedule is announced")
        for verb in ("pause", "resume", "run"):
            await ask(f"{verb}_schedule", "POST", f"/schedules/often/{verb}")
        for operation, path in (
            ("list_schedules", "/schedules"),
            ("get_schedule", "/schedules/often"),
            ("list_tasks", "/tasks"),
            ("list_workers", "/workers"),
            ("overview", "/overview"),
            ("problem_types", "/problems"),
            ("problem_type", "/problems/too-deep"),
            ("live", "/health/live"),
            ("ready", "/health/ready"),
            ("metrics", "/metrics"),
        ):
            await ask(operation, "GET", path)
    return found


async def _has_schedule(client: httpx2.AsyncClient) -> bool:
    return (await client.get("/schedules/often")).status_code == 200
