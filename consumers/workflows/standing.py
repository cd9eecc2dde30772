"""The record of a workflow under way, under the id of its last job: it is seen, and can be cancelled, before
that job is asked for."""

from typing import Any

from consumers.engine.job import Job
from consumers.engine.statedb import Change
from consumers.retry import LAST_MS
from schemas.job import JobRequested, JobState
from schemas.state import RawRecord, StateRecord, encode_state


def under_way(job: Job, request: JobRequested, writer: int) -> Change:
    """The record; `job` is its request. It is never due, and gives way to the last job's own record."""
    assert request.workflow is not None
    document: dict[str, Any] = {
        "state": JobState.RUNNING.value,
        "task": request.task,
        "attempt": 0,
        "at": tuple(job.position),
        "event": (job.event.id, job.event.type, job.event.source),
        "enqueued_ms": job.enqueued_ms,
        "root": request.job_id,
        "workflow": True,
    }
    if request.parent is not None:
        document["parent"] = request.parent
    told = request.workflow["node"].get("on")
    if told:
        document["then"] = [{"on": told, "id": request.job_id, "path": ""}]
    raw = RawRecord(job.raw.key, None, (), job.raw.timestamp_ms)
    value = encode_state(document, due_ms=LAST_MS, writer=writer, revision=1, raw=raw)
    return Change(request.job_id.encode(), value)


def gives_way(record: StateRecord) -> bool:
    """Whether a record is that of a workflow under way."""
    return record.document.get("workflow") is True
