"""A worker with one task that does as its event says, and what a probe sees of it."""

import asyncio
import json
import textwrap
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from events.codec import encode
from schemas.cloudevent import CloudEvent
from tests.integration.task_worker import TaskWorker

TASKS = textwrap.dedent("""
    import pathlib
    import time

    from consumers import task


    @task(on="probe.happened", topic="{topic}", max_tries=1)
    async def observe(ctx, event):
        if path := event.data.get("block_until"):
            pathlib.Path(path + ".blocking").touch()
            while not pathlib.Path(path).exists():
                time.sleep(0.05)
        if event.data.get("fail"):
            raise ValueError("as asked")
        ctx.log.info("observed", token="hush-hush")
""")


def probed_worker(broker: str, app_id: str, folder: Path, topic: str) -> TaskWorker:
    """A worker of one task, not started yet."""
    (folder / "probed_tasks.py").write_text(TASKS.format(topic=topic))
    settings = {"HEADRACE_TASK_MODULES": "probed_tasks", "PYTHONPATH": str(folder)}
    return TaskWorker(broker, app_id, folder, settings)


async def probe(worker: TaskWorker, path: str) -> tuple[int, Any]:
    """Status and JSON (text for /metrics) of one GET."""
    return await asyncio.to_thread(_get, f"http://127.0.0.1:{worker.port}{path}")


def _get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, _read(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _read(error)
    except OSError:
        return 0, {}


def _read(answer: Any) -> Any:
    body = answer.read().decode()
    return json.loads(body) if answer.headers["Content-Type"] == "application/json" else body


async def failing(worker: TaskWorker) -> set[str]:
    """The names of the readiness checks that fail; {"unanswered"} when nobody answers."""
    status, report = await probe(worker, "/health/ready")
    if not status:
        return {"unanswered"}
    return {name for name, check in report["checks"].items() if not check["ok"]}


async def send(broker: str, topic: str, *events: CloudEvent | bytes) -> None:
    """Publish events, and bytes that are none."""
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for event in events:
            value, headers = (event, []) if isinstance(event, bytes) else encode(event)
            await producer.send_and_wait(topic, value, headers=list(headers))


def happened(id: str, **data: Any) -> CloudEvent:
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    return CloudEvent(type="probe.happened", source="/probe", id=id, data=data, extensions=trace)


def log_lines(worker: TaskWorker) -> list[dict[str, Any]]:
    text = (worker.folder / "worker.log").read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
