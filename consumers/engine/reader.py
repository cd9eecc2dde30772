"""From raw records to jobs: decode, find the subscribed tasks, validate for each.

What cannot become a job comes back all the same, with the decision that settles it, so that nothing is
dropped in silence: undecodable bytes and invalid data are dead letters, unknown tasks are parked for a
rolling deploy.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from consumers.engine.decisions import REROUTED, Decision, Parked
from consumers.engine.delays import NOT_BEFORE, not_before_ms, run_at
from consumers.engine.job import Job
from consumers.engine.quick import new_tuple
from consumers.engine.ready import RANKS
from consumers.engine.requests import broken, fill, origin_of
from consumers.errors import EventError, InvalidArguments, InvalidEvent
from consumers.outcomes import DeadLettered, Failure
from consumers.outputs import Output
from consumers.registry import Registry, Subscription, Task
from consumers.workflows.gather import GATHER_TASK
from events import codec
from events.errors import Undecodable
from events.queue_options import EnqueueOptions
from schemas.cloudevent import CloudEvent
from schemas.deadletter import Reason
from schemas.job import JOB_REQUESTED, JobRequested, JobState, JsonKey, derived_id, job_id
from schemas.state import Position, RawRecord
from schemas.workflow import STEP_ENDED, WORKFLOW_CANCELLED, StepEnded, WorkflowCancelled

UNKNOWN_TASK_FIRST_SECONDS: Final = 5.0
UNKNOWN_TASK_LONGEST_SECONDS: Final = 60.0
CLOCK_SKEW_MS: Final = 60_000
_NEWS: Final[Mapping[str, type[StepEnded] | type[WorkflowCancelled]]] = {
    STEP_ENDED: StepEnded,
    WORKFLOW_CANCELLED: WorkflowCancelled,
}
_NOTHING: Final = CloudEvent(id="", source="", type="")


class Read(NamedTuple):
    """A job read from a record; with a decision it is settled as it is, else it is to be admitted."""

    job: Job
    decision: Decision | None = None


class Reader:
    """Reads the records of one source into jobs. Pure but for the clock."""

    def __init__(
        self,
        *,
        registry: Registry,
        source: str,
        jobs_topics: frozenset[str],
        default_types: Mapping[str, str],
        now_ms: Callable[[], int],
        patience_ms: int,
    ) -> None:
        self._registry = registry
        self._source = source
        self._jobs_topics = jobs_topics
        self._default_types = default_types
        self._now_ms = now_ms
        self._patience_ms = patience_ms
        self._plausible_until_ms = 0

    def read(self, raw: RawRecord, position: Position) -> list[Read]:
        """The jobs a record asks for; empty when nobody subscribed to it."""
        try:
            event = codec.decode(
                key=raw.key,
                value=raw.value,
                headers=raw.headers,
                topic=position.topic,
                partition=position.partition,
                offset=position.offset,
                default_type=self._default_types.get(position.topic),
            )
            version = event.version
        except (Undecodable, ValueError) as error:
            return [self._letter(_NOTHING, raw, position, Reason.UNDECODABLE, error)]
        if event.type == JOB_REQUESTED and position.topic in self._jobs_topics:
            return [self._read_request(event, raw, position)]
        if event.type in _NEWS and position.topic in self._jobs_topics:
            return [self._read_news(event, _NEWS[event.type], raw, position)]
        return self._read_event(event, version, raw, position)

    def read_for(self, task_name: str, id: str, raw: RawRecord, position: Position) -> Read | None:
        """The one job of `task_name` a remembered record asks for, or the letter it has become meanwhile."""
        reads = self.read(raw, position)
        for read in reads:
            if read.job.task_name == task_name and read.job.id == id:
                return read
        for read in reads:
            if isinstance(read.decision, DeadLettered):
                return read
        return None

    # -- events

    def _read_event(self, event: CloudEvent, version: int, raw: RawRecord, position: Position) -> list[Read]:
        subscriptions = self._registry.matching(position.topic, event.type)
        if not subscriptions:
            return []
        if len(subscriptions) == 1 and subscriptions[0].takes(version):
            return self._read_only(event, subscriptions[0], raw, position)
        reads: list[Read] = []
        problems: dict[Any, Exception] = {}
        parsed: dict[Any, Any] = {}
        fits_version = False
        for subscription in subscriptions:
            model = subscription.model
            if not subscription.takes(version):
                continue
            fits_version = True
            try:
                if model not in parsed:
                    parsed[model] = subscription.task.parse_event(event, subscription)
                read = self._read_subscribed(event, subscription, parsed[model], raw, position)
                if read is not None:
                    reads.append(read)
            except EventError as error:
                problems[model] = error
        if not fits_version:
            unknown = LookupError(f"{event.type} version {version}: no subscribed task knows it")
            return [self._letter(event, raw, position, Reason.UNKNOWN_VERSION, unknown)]
        reads += [self._unfit(event, raw, position, problem) for problem in problems.values()]
        return reads

    def _read_only(
        self, event: CloudEvent, subscription: Subscription, raw: RawRecord, position: Position
    ) -> list[Read]:
        """The usual case: one task is subscribed."""
        try:
            payload = subscription.task.parse_event(event, subscription)
            read = self._read_subscribed(event, subscription, payload, raw, position)
        except EventError as error:
            return [self._unfit(event, raw, position, error)]
        return [] if read is None else [read]

    def _unfit(self, event: CloudEvent, raw: RawRecord, position: Position, problem: Exception) -> Read:
        reason = Reason.INVALID if isinstance(problem, InvalidEvent) else Reason.UNDECODABLE
        return self._letter(event, raw, position, reason, problem)

    def _read_subscribed(
        self, event: CloudEvent, subscription: Subscription, payload: Any, raw: RawRecord, position: Position
    ) -> Read | None:
        task = subscription.task
        settings = task.settings
        if settings.when is not None and not task.wants(payload):
            return None
        key: JsonKey = [event.source, event.id]
        if settings.idempotency_key is not None:
            if self._registry.hops(task):
                return self._hop(task, event, payload, raw, position)
            key = task.idempotency_key_of(event, payload, raw.key)
        job = self._job(job_id(task.name, key), task, event, raw, position)
        job.payload = payload
        if NOT_BEFORE in event.extensions:
            job.not_before_ms = not_before_ms(event)
        return new_tuple(Read, (job, None))

    def _hop(
        self, task: Task[..., Any], event: CloudEvent, payload: Any, raw: RawRecord, position: Position
    ) -> Read:
        """A task with its own idempotency key runs where equal keys meet: ask for it there."""
        key = task.idempotency_key_of(event, payload)
        job = self._job("", task, event, raw, position)
        options = EnqueueOptions(idempotency_key=key, priority=task.settings.priority, run_at=run_at(event))
        output = Output.of_event(task.name, event, options, derived_id(event.id, f"hop/{task.name}", 0))
        job.outputs = [output]
        return Read(job, REROUTED)

    # -- requests

    def _read_request(self, event: CloudEvent, raw: RawRecord, position: Position) -> Read:
        try:
            request = JobRequested.model_validate_json(event.raw_data or b"null")
        except ValueError as error:
            return self._letter(event, raw, position, Reason.INVALID, error)
        task = GATHER_TASK if request.task == GATHER_TASK.name else self._registry.tasks.get(request.task)
        if request.workflow is not None:
            return self._for_workflow(event, raw, position, request)
        job = self._job(request.job_id, task, event, raw, position, request.task)
        job.then, job.input = request.then, request.input
        job.not_before_ms = request.not_before_ms
        job.origin = origin_of(request, position.topic)
        job.rank = RANKS[job.origin.get("priority", "normal") if job.origin else "normal"]
        job.unique = request.unique
        if request.deadline_ms is not None:
            job.deadline_ms = request.deadline_ms
        if request.broken is not None:
            return Read(job, broken(job, request.broken))
        if task is None:
            return self._unknown(job)
        try:
            fill(job, task, request)
        except (EventError, InvalidArguments, Undecodable, ValueError) as error:
            return Read(job, DeadLettered(Reason.INVALID, failure(error)))
        return Read(job)

    # -- workflows

    def _for_workflow(
        self,
        event: CloudEvent,
        raw: RawRecord,
        position: Position,
        flow: JobRequested | StepEnded | WorkflowCancelled,
    ) -> Read:
        job = self._job("", None, event, raw, position)
        job.flow = flow
        return Read(job)

    def _read_news(
        self,
        event: CloudEvent,
        model: type[StepEnded] | type[WorkflowCancelled],
        raw: RawRecord,
        position: Position,
    ) -> Read:
        try:
            news = model.model_validate_json(event.raw_data or b"null")
        except ValueError as error:
            return self._letter(event, raw, position, Reason.INVALID, error)
        return self._for_workflow(event, raw, position, news)

    def _unknown(self, job: Job) -> Read:
        """A worker of another release may know the task: wait longer and longer, then give up."""
        return Read(job, Parked(self._now_ms() + int(UNKNOWN_TASK_FIRST_SECONDS * 1000), JobState.RETRYING))

    def unknown_again(self, job: Job) -> Decision:
        """What to do with a parked job whose task is still not known."""
        now_ms = self._now_ms()
        since_ms = job.unknown_since_ms = job.unknown_since_ms or job.enqueued_ms or now_ms
        waited_ms = now_ms - since_ms
        if waited_ms >= self._patience_ms:
            message = f"no worker knows the task {job.task_name!r} (waited {waited_ms // 1000} s)"
            return DeadLettered(Reason.UNKNOWN_TASK, Failure("UnknownTask", message))
        delay_ms = min(max(waited_ms, UNKNOWN_TASK_FIRST_SECONDS * 1000), UNKNOWN_TASK_LONGEST_SECONDS * 1000)
        return Parked(now_ms + int(min(delay_ms, self._patience_ms - waited_ms)), JobState.RETRYING)

    # -- both

    def bare_job(self, id: str, task_name: str, raw: RawRecord, position: Position) -> Job:
        """A job whose record no task of this worker asks for any more."""
        return self._job(id, None, _NOTHING, raw, position, task_name)

    def unseen_job(self, id: str, task_name: str, position: Position) -> Job:
        """A job whose record is at a place nobody has read yet."""
        raw = RawRecord(None, None, (), 0)
        return self._job(id, self._registry.tasks.get(task_name), _NOTHING, raw, position, task_name)

    def _job(
        self,
        id: str,
        task: Task[..., Any] | None,
        event: CloudEvent,
        raw: RawRecord,
        position: Position,
        task_name: str | None = None,
    ) -> Job:
        name = task.name if task is not None else task_name or ""
        job = Job(id, task, name, event, raw, position, self._source)  # names would cost 0.3 µs
        if not 0 < raw.timestamp_ms <= self._plausible_until_ms:  # a producer may write any timestamp
            now_ms = self._now_ms()
            self._plausible_until_ms = now_ms + CLOCK_SKEW_MS
            if not 0 < raw.timestamp_ms <= self._plausible_until_ms:
                job.enqueued_ms = job.ready_ms = now_ms
        if task is not None and task.settings.deadline_seconds is not None:
            job.deadline_ms = job.enqueued_ms + int(task.settings.deadline_seconds * 1000)
        if task is not None and task.settings.priority != "normal":
            job.rank = RANKS[task.settings.priority]
        return job

    def _letter(
        self, event: CloudEvent, raw: RawRecord, position: Position, reason: Reason, error: Exception
    ) -> Read:
        job = self._job("", None, event, raw, position)
        return Read(job, DeadLettered(reason, failure(error)))


def failure(error: BaseException) -> Failure:
    """A failure without a stack: it is about the record, not about code."""
    return Failure(type(error).__name__, str(error)[:1000])


def new_writer() -> int:
    """A writer id nobody else has: 63 random bits."""
    return uuid.uuid4().int >> 65
