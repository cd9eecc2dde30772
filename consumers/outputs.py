"""What a handler sends: noted on its job at once, sent when the job settles, and only if it completed.

Ids are derived from the job and from what is sent, so that another attempt sends the same ids.
"""

import threading
from collections.abc import Generator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic_core import PydanticSerializationError, to_jsonable_python

from consumers.errors import OutputRefused
from events.queue_options import Enqueue, Enqueueable, EnqueueOptions
from events.workflow import Workflow
from events.workflow_requests import workflow_request
from schemas.cloudevent import CloudEvent
from schemas.job import JobRequested, derived_id, job_id

if TYPE_CHECKING:
    from consumers.engine.job import Job
    from schemas.domain import DomainEvent

T = TypeVar("T")
_TRACE: Final = ("traceparent", "tracestate")
# A task's own threads may send at once; two outputs of one id would count as one.
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to enqueue: with arguments (JSON values), or for an event. `id` is of the request itself."""

    task: str
    args: dict[str, Any]
    options: EnqueueOptions
    job_id: str
    event: CloudEvent | None = None
    id: str | None = None
    parent: str | None = None
    root: str | None = None
    workflow: JobRequested | None = None  # its request says it all


@dataclass(frozen=True, slots=True)
class Output:
    """Something to send. A job request has no topic and key: they follow from the request."""

    topic: str | None
    key: bytes | None
    event: CloudEvent | JobRequest
    partition: int | None = None  # of its key unless given

    @classmethod
    def of_event(cls, task: str, event: CloudEvent, options: EnqueueOptions, id: str) -> "Output":
        """Have a task run for an event through the jobs topic, where equal idempotency keys meet."""
        request = JobRequest(task, {}, options, job_id(task, options.idempotency_key), event, id)
        return cls(None, None, request)


class Recorded(Generic[T]):
    """What `publish` and `enqueue` give back: await it or leave it, the output is noted already."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, T]:
        return self.value
        yield


class Outputs(list[Output]):
    """The outputs of one attempt, and how often each kind occurred."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}

    def next_id(self, parent: str, kind: str) -> str:
        """The id of the next output of this kind. Counted per kind, so that branches of one handler which
        run side by side get the same ids whichever comes first.
        """
        index = self.seen.get(kind, 0)
        self.seen[kind] = index + 1
        return derived_id(parent, kind, index)


def event_output(
    job: "Job", event: "DomainEvent | CloudEvent", *, topic: str | None, key: str | bytes | None
) -> CloudEvent:
    """Note an event on the job and give its envelope. Raises OutputRefused."""
    where = topic or getattr(event, "topic", None)
    if where is None:
        raise OutputRefused(f"publish({event.type!r}): an envelope needs its topic: publish(event, topic=…)")
    if key is None and not isinstance(event, CloudEvent):
        key = event.key()
    record_key = key.encode() if isinstance(key, str) else key
    with _one_at_a_time:
        outputs = _outputs_of(job)
        envelope = _envelope(job, event, kind=f"event {where} {event.type} {key!r}")
        outputs.append(Output(where, envelope.id.encode() if record_key is None else record_key, envelope))
    return envelope


def job_output(
    job: "Job", task: Enqueueable[Any] | Enqueue[Any] | str, args: Mapping[str, Any]
) -> JobRequest:
    """Note a job to enqueue. Raises InvalidArguments, OutputRefused."""
    options = task.options if isinstance(task, Enqueue) else EnqueueOptions()
    target = task.task if isinstance(task, Enqueue) else task
    if isinstance(target, str):
        name, json_args = target, _json_args(target, args)
    else:
        name, json_args = target.name, target.dump_args(args)
        options = options.with_priority(target.priority)
    with _one_at_a_time:
        outputs = _outputs_of(job)
        id = _job_id(job, name, options, outputs)
        root = job.origin.get("root") if job.origin else None
        request = JobRequest(name, json_args, options, id, parent=job.id, root=root)
        outputs.append(Output(None, None, request))
    return request


def workflow_output(job: "Job", workflow: Workflow) -> JobRequest:
    """Note a workflow to begin. Its id is that of its last job. Raises OutputRefused."""
    with _one_at_a_time:
        outputs = _outputs_of(job)
        try:
            id = None if workflow.named else outputs.next_id(job.id, "workflow")
            begun = workflow_request(workflow, id=id, parent=job.id)
        except (ValueError, TypeError) as error:
            raise OutputRefused(f"enqueue of a workflow: {error}") from None
        request = JobRequest(begun.task, {}, EnqueueOptions(), begun.job_id, parent=job.id, workflow=begun)
        outputs.append(Output(None, None, request))
    return request


def _outputs_of(job: "Job") -> Outputs:
    if not isinstance(job.outputs, Outputs):
        job.outputs = Outputs()
    return job.outputs


def _envelope(job: "Job", event: "DomainEvent | CloudEvent", *, kind: str) -> CloudEvent:
    outputs = _outputs_of(job)
    if not isinstance(event, CloudEvent):
        envelope = event.to_event(source=f"/tasks/{job.task_name}", id=outputs.next_id(job.id, kind))
    else:
        envelope = copy(event)
        envelope.extensions = dict(event.extensions)
        if not event.has_given_id:
            envelope.id = outputs.next_id(job.id, kind)
    for name in _TRACE:
        if name in job.event.extensions:
            envelope.extensions.setdefault(name, job.event.extensions[name])
    return envelope


def _json_args(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {key: to_jsonable_python(value) for key, value in args.items()}
    except (PydanticSerializationError, ValueError) as error:
        raise OutputRefused(f"enqueue({name!r}): arguments must be JSON: {error}") from None


def _job_id(job: "Job", name: str, options: EnqueueOptions, outputs: Outputs) -> str:
    if options.job_id is not None:
        return options.job_id
    if options.idempotency_key is not None:
        return job_id(name, options.idempotency_key)
    return outputs.next_id(job.id, f"job {name}")
