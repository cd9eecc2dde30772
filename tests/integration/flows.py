"""What tests of workflows share: a queue, and what the state topics say of a workflow."""

from typing import Any

from events.queue import JobQueue
from events.settings import ClientSettings
from events.workflow import Signature, signature
from tests.integration.observing import jobs_state


def queue_of(broker: str, app_id: str) -> JobQueue:
    return JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id))


def numbers(task: str, *values: int) -> list[Signature]:
    """A step of `task` for each value."""
    return [signature(task, value=value) for value in values]


async def steps_of(broker: str, app_id: str, root: str) -> dict[str, list[dict[str, Any]]]:
    """The ledger records of a workflow's jobs, by step."""
    found: dict[str, list[dict[str, Any]]] = {}
    for records in (await jobs_state(broker, app_id)).finished.values():
        for record in records:
            if record.document.get("root") == root:
                found.setdefault(record.document.get("step") or "", []).append(record.document)
    return found
