"""How a workflow and its jobs are asked for: the records of the jobs topics."""

import uuid
from typing import Any

import orjson

from events.queue_options import Priority
from events.topics import jobs_topic
from events.workflow import Signature, Workflow, chain
from schemas import job as jobs
from schemas.cloudevent import CloudEvent
from schemas.job import JOB_REQUESTED, JobRequested
from schemas.workflow import last_task


def workflow_request(workflow: Workflow, *, id: str | None = None, parent: str | None = None) -> JobRequested:
    """The one request a workflow begins with. Its job is the last of the workflow.

    The id is `id`, else that of its options, else that of their idempotency key, else random.
    """
    own = workflow.own
    # The options of a single step are its own: what is asked for is a chain of it.
    node = (chain(workflow) if isinstance(workflow, Signature) else workflow).as_json()
    task = last_task(node)
    if own.job_id is not None:
        id = own.job_id
    elif own.idempotency_key is not None:
        id = jobs.job_id(task, own.idempotency_key)
    id = id or str(uuid.uuid4())
    begin = {"node": node, "id": id, "path": ""}
    return JobRequested(task=task, job_id=id, parent=parent, root=id, workflow=begin)


def step_event(
    app_id: str, request: JobRequested, *, id: str | None = None, trace: dict[str, Any] | None = None
) -> CloudEvent:
    """The event that asks for a job of a workflow. Raises ValueError for arguments that are not JSON."""
    try:
        data = orjson.dumps(request.model_dump(exclude_defaults=True))
    except TypeError as error:
        raise ValueError(f"job for {request.task}: cannot be written as JSON: {error}") from error
    return CloudEvent(
        id=id or request.job_id,
        source=f"/headrace/{app_id}",
        type=JOB_REQUESTED,
        subject=request.task,
        extensions=dict(trace or {}),
        raw_data=data,
    )


def step_topic(app_id: str, priority: Priority | None) -> str:
    """Where a step is asked for."""
    return jobs_topic(app_id, priority or "normal")
