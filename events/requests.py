"""How a job is asked for: the one place that makes a `headrace.job.requested.v1`.

Equal idempotency keys get equal record keys, so they meet in one partition, whatever their priority.
"""

import datetime as dt
import time
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from events.codec import CONTENT_TYPE
from events.queue_options import EnqueueOptions, Priority
from events.structured import to_document
from events.topics import jobs_topic
from schemas import exact_json
from schemas import job as jobs
from schemas.cloudevent import JSON, CloudEvent
from schemas.duration import Seconds, seconds_of
from schemas.job import JOB_REQUESTED, JobRequested, JsonKey

_TRACE = ("traceparent", "tracestate")


def request_event(
    app_id: str,
    task: str,
    args: Mapping[str, Any],
    options: EnqueueOptions,
    *,
    job_id: str | None = None,
    event: CloudEvent | None = None,
    id: str | None = None,
    parent: str | None = None,
    root: str | None = None,
    now_ms: int | None = None,
) -> tuple[str, bytes, CloudEvent]:
    """(topic, record key, event) that ask for one job: `task` with `args`, or for the `event` that caused it.

    The job id is `job_id`, else that of the options, else that of their idempotency key, else random.
    `id` of the request is its job's unless given; `now_ms` is what delays and deadlines count from. `parent`
    is the job that asks, `root` the workflow both belong to. Unique requests without a key of their own are
    equal when their arguments are.
    Raises ValueError for arguments and a key that are not JSON, and for a task name or a time out of bounds.
    """
    key = None if options.idempotency_key is None else _json(task, options.idempotency_key, "idempotency key")
    request = _request(task, args, options, job_id, time.time_ns() // 1_000_000 if now_ms is None else now_ms)
    carried = {name: text for name, text in options.headers.items() if name in _TRACE}
    if parent is not None or root is not None:
        request = request.model_copy(update={"parent": parent, "root": root})
    if event is not None:
        request = request.model_copy(update={"event": to_document(event)})
        carried |= {name: text for name, text in event.extensions.items() if name in _TRACE}
    # An event goes on as it came; arguments are what orjson can write, for so a state record is written.
    dumps = orjson.dumps if event is None else exact_json.dumps
    envelope = CloudEvent(
        id=id or request.job_id,
        source=f"/headrace/{app_id}",
        type=JOB_REQUESTED,
        subject=task,
        extensions=carried,
        raw_data=_json(task, request.model_dump(exclude_defaults=True), dumps=dumps),
    )
    return jobs_topic(app_id, options.priority or "normal"), key or request.job_id.encode(), envelope


def plain_request(
    app_id: str, task: str, args: Mapping[str, Any], *, job_id: str, priority: Priority
) -> tuple[str, bytes, bytes, list[tuple[str, bytes]]]:
    """(topic, record key, value, headers) of a request without any option, for a task and an id known to be
    good: what `request_event` and the codec make of it, at a tenth of the cost.

    Raises ValueError for arguments that are not JSON.
    """
    key = job_id.encode()
    version, *others = _plain_headers(app_id, task)
    headers = [version, ("ce_id", key), *others]
    request: dict[str, Any] = {"task": task, "job_id": job_id}
    if args:
        request["args"] = args
    return jobs_topic(app_id, priority), key, _json(task, request), headers


@lru_cache(maxsize=1024)
def _plain_headers(app_id: str, task: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_source", f"/headrace/{app_id}".encode()),
        ("ce_type", JOB_REQUESTED.encode()),
        ("ce_subject", task.encode()),
        (CONTENT_TYPE, JSON.encode()),
    )


def _request(
    task: str, args: Mapping[str, Any], options: EnqueueOptions, job_id: str | None, now_ms: int
) -> JobRequested:
    key = options.idempotency_key
    if job_id is None:
        job_id = options.job_id
    if job_id is None:
        same = _same_arguments(task, args) if options.unique and key is None else key
        job_id = str(uuid.uuid4()) if same is None else jobs.job_id(task, same)
    return JobRequested(
        task=task,
        job_id=job_id,
        args=dict(args),
        idempotency_key=key,
        not_before_ms=_moment_ms(options.run_at if options.defer_by is None else options.defer_by, now_ms),
        deadline_ms=_moment_ms(options.deadline, now_ms),
        headers=dict(options.headers),
        unique=options.unique,
    )


def _same_arguments(task: str, args: Mapping[str, Any]) -> JsonKey:
    """What makes requests with equal arguments equal, in whatever order they were written."""
    return [task, orjson.loads(_json(task, args, dumps=_sorted))]


def _sorted(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _moment_ms(when: Seconds | dt.datetime | None, now_ms: int) -> int | None:
    if when is None:
        return None
    if isinstance(when, dt.datetime):
        return round(when.timestamp() * 1000)
    return now_ms + round(seconds_of(when) * 1000)


def _json(
    task: str, content: Any, what: str = "arguments", dumps: Callable[[Any], bytes] = orjson.dumps
) -> bytes:
    try:
        return dumps(content)
    except TypeError as error:
        raise ValueError(f"job for {task}: its {what} cannot be written as JSON: {error}") from error
