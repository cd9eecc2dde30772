"""What other services and tasks are told when a job ends: `announce=` and `on_failure=`."""

from collections.abc import Iterator
from typing import Any

from consumers.engine.decisions import Decision
from consumers.engine.job import Job
from consumers.outcomes import Completed, DeadLettered, Expired
from events import codec
from events.queue_options import EnqueueOptions
from events.requests import request_event
from events.topics import announcements_topic
from schemas.cloudevent import CloudEvent
from schemas.deadletter import Reason
from schemas.job import JOB_COMPLETED, JOB_FAILED, derived_id

Record = tuple[str, bytes | None, bytes | None, list[Any]]


def reports_of(job: Job, decision: Decision, app_id: str) -> Iterator[Record]:
    """The records that report how `job` ended, with ids that a repeat has again."""
    if job.task is None:
        return
    settings = job.task.settings
    if settings.announce:
        topic = settings.announce if isinstance(settings.announce, str) else announcements_topic(app_id)
        value, headers = codec.encode(_announcement(job, decision, app_id))
        yield topic, job.id.encode(), value, headers
    if settings.on_failure is not None and not isinstance(decision, Completed):
        topic, key, event = request_event(
            app_id,
            settings.on_failure,
            {"failure": failure_document(job, decision)},
            EnqueueOptions(job_id=derived_id(job.id, "on_failure", 0)),
        )
        value, headers = codec.encode(event)
        yield topic, key, value, headers


def is_reported(job: Job, decision: Decision) -> bool:
    """Whether anybody is told how a job ended."""
    if job.task is None or not job.task.settings.reports:
        return False
    if isinstance(decision, (DeadLettered, Expired)):
        return True
    return bool(job.task.settings.announce) and isinstance(decision, Completed)


def _announcement(job: Job, decision: Decision, app_id: str) -> CloudEvent:
    completed = isinstance(decision, Completed)
    data = {"job_id": job.id, "task": job.task_name, "attempts": job.attempt, "event_id": job.event.id}
    return CloudEvent(
        id=derived_id(job.id, "announcement", 0),
        source=f"/headrace/{app_id}",
        type=JOB_COMPLETED if completed else JOB_FAILED,
        subject=job.id,
        data=data if completed else data | failure_document(job, decision),
    )


def failure_document(job: Job, decision: Decision) -> dict[str, Any]:
    """What an `on_failure` task gets as `failure`."""
    document: dict[str, Any] = {
        "job_id": job.id,
        "task": job.task_name,
        "attempts": job.attempt,
        "event": {"id": job.event.id, "type": job.event.type, "source": job.event.source},
    }
    match decision:
        case DeadLettered(reason, failure):
            return document | {"reason": reason.value, "error": failure.document()}
        case Expired(failure):
            return document | {"reason": Reason.EXPIRED.value, "error": failure.document()}
        case _:
            return document
