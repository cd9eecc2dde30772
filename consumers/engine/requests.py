"""What a request for a job says: pure functions from the request to the job."""

from typing import Any, Final

from consumers.definition import Task
from consumers.engine.decisions import Broken
from consumers.engine.job import Job
from consumers.outcomes import Failure
from events.structured import from_document
from schemas.job import JobRequested, JobState

_ORIGIN: Final = ("parent", "root", "step", "schedule", "scheduled_ms")


def fill(job: Job, task: Task[..., Any], request: JobRequested) -> None:
    """Give the job what its handler gets. Raises EventError, InvalidArguments, Undecodable, ValueError."""
    if request.event is None:
        if job.input is not None and "value" not in job.input:
            job.args = request.args  # the rest is fetched when it runs
            return
        given = request.args if job.input is None else task.with_input(request.args, job.input["value"])
        job.args, job.input = task.parse_args(given), None
        return
    event = from_document(request.event)
    job.event = event
    for subscription in task.subscriptions:
        if subscription.matches(event.type) and subscription.takes(event.version):
            job.payload = task.parse_event(event, subscription)
            return
    raise ValueError(f"task {task.name} does not subscribe to {event.type}")


def broken(job: Job, why: dict[str, Any]) -> Broken:
    """The end of a job that will not run, because a step before it did not end well."""
    job.broken, job.attempt = why["cause"], 0
    return Broken(JobState(why["state"]), Failure("StepFailed", why["message"]), why["cause"])


def origin_of(request: JobRequested, topic: str) -> dict[str, Any] | None:
    """What a request says of where its job comes from, by the names state records use; None for nothing."""
    found = {name: value for name in _ORIGIN if (value := getattr(request, name)) is not None}
    for priority in ("high", "low"):
        if topic.endswith(f".{priority}"):
            found["priority"] = priority
    return found or None
