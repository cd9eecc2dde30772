"""Routes that tell of jobs: one, its changes as they come, many, and a workflow."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from events.gateway import job_stream
from events.gateway.keys import Scope
from events.gateway.parts import parts_of
from events.gateway.problems import ErrorPlace, problem
from events.gateway.read_models import JobList, JobTree, TreeJob
from events.gateway.reading import (
    WAIT_PATTERN,
    MayRead,
    answers,
    json_of,
    looking,
    ms_of,
    seconds_of,
    status_of,
)
from events.gateway.submission import invalid
from events.status.query import MOST_JOBS, BadCursor, JobQuery
from events.status.reader import StatusReader
from events.status.tree import Node, tree_of
from schemas.job import MAX_JOB_ID_CHARACTERS, JobState
from schemas.status import JobStatus

router = APIRouter(tags=["jobs"], dependencies=[MayRead])

MOST_TREE_JOBS: Final = 5_000
DEEPEST_TREE: Final = 100

JobId = Annotated[str, Path(min_length=1, max_length=MAX_JOB_ID_CHARACTERS)]
Text = Annotated[str | None, Query(min_length=1, max_length=1_000)]


@router.get("/jobs", operation_id="list_jobs", summary="Jobs, newest first",
            response_model=JobList, responses=answers())  # fmt: skip
async def list_jobs(
    request: Request,
    task: Text = None,
    state: JobState | None = None,
    since: Annotated[AwareDatetime | None, Query(description="asked for at this time or later")] = None,
    until: Annotated[AwareDatetime | None, Query(description="asked for before this time")] = None,
    event_id: Annotated[Text, Query(description="caused by this event")] = None,
    parent: Annotated[Text, Query(description="asked for by this job")] = None,
    root: Annotated[Text, Query(description="of this workflow")] = None,
    schedule: Annotated[Text, Query(description="occurrences of this schedule")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 50,
    cursor: Annotated[Text, Query(description="of the page before")] = None,
) -> Response:
    """As they are known here and now; `GET /jobs/{job_id}` is never behind.

    Follow `cursor` until there is none: a page may be short and have one, where much was looked through.
    """
    wanted = JobQuery(
        task, state, ms_of(since), ms_of(until), event_id, parent, root, schedule, limit, cursor
    )
    try:
        page = await status_of(request).jobs(wanted)
    except BadCursor:
        place = ErrorPlace(parameter="cursor", detail="not a cursor of a page before")
        raise invalid(place) from None
    return json_of(JobList.model_construct(jobs=page.jobs, cursor=page.cursor))


@router.get("/jobs/{job_id:path}/events", operation_id="follow_job", summary="Changes of a job as they come",
            response_class=StreamingResponse,
            responses={
                200: {
                    "description": "Server-sent events `status`, each with a JobStatus, until the job ends.",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                **answers("unknown-job"),
            })  # fmt: skip
async def follow_job(request: Request, job_id: JobId) -> Response:
    """The first event tells how it is now, unless `Last-Event-ID` says that this is known."""
    status, stopping = status_of(request), parts_of(request).stopping
    first = await _job(status, job_id)
    known = request.headers.get("last-event-id")
    return StreamingResponse(
        job_stream.follow(status, first, known, stopping),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/jobs/{job_id:path}/tree", operation_id="job_tree", summary="The workflow of a job",
            response_model=JobTree, responses=answers("unknown-job"))  # fmt: skip
async def job_tree(
    request: Request, job_id: JobId, limit: Annotated[int, Query(ge=1, le=MOST_TREE_JOBS)] = 1_000
) -> Response:
    """Every job of the workflow under the one that asked for it; of a job that belongs to none, what it asked
    for."""
    status = status_of(request)
    await _job(status, job_id)
    tree = await asyncio.to_thread(tree_of, status.store, job_id, limit)
    if tree is None:
        raise _unknown(job_id)
    deep = any(_depth(node) > DEEPEST_TREE for node in tree.tops)
    jobs = [_shown(node, DEEPEST_TREE) for node in tree.tops]
    told = JobTree(root=tree.root, jobs=jobs, states=tree.states, truncated=tree.truncated or deep)
    return json_of(told)


@router.get("/jobs/{job_id:path}", operation_id="get_job", summary="Everything known of a job",
            response_model=JobStatus, responses=answers("unknown-job"))  # fmt: skip
async def get_job(
    request: Request,
    job_id: JobId,
    wait: Annotated[
        str | None,
        Query(
            pattern=WAIT_PATTERN,
            description="Wait so long for it to finish (`30s`, `500ms`, `2m`; at most 5 minutes), then "
            "answer either way.",
        ),
    ] = None,
    stale: Annotated[
        bool, Query(description="Answer what is known here and now, even if Kafka knows more.")
    ] = False,
) -> Response:
    """Never older than the request, whichever gateway is asked.

    One that is behind catches up first, and says 503 when it cannot in time.
    """
    status = status_of(request)
    found = await _job(status, job_id, seconds_of(wait), stale_ok=stale, stopping=parts_of(request).stopping)
    return _told(found)


async def get_job_quickly(request: Request) -> Response:
    """`get_job` without a query."""
    request.app.state.access.check(request, Scope.READ)
    job_id = request.scope["path"].rpartition("/")[2]
    if len(job_id) > MAX_JOB_ID_CHARACTERS:
        detail = f"String should have at most {MAX_JOB_ID_CHARACTERS} characters"
        raise invalid(ErrorPlace(parameter="job_id", detail=detail))
    found = await _job(status_of(request), job_id)
    return _told(found)


def _told(job: JobStatus) -> Response:
    return json_of(job, **({} if job.finished else {"Retry-After": "1"}))


async def _job(
    status: StatusReader,
    job_id: str,
    wait_seconds: float = 0.0,
    *,
    stale_ok: bool = False,
    stopping: asyncio.Event | None = None,
) -> JobStatus:
    async with looking():
        if wait_seconds and stopping is not None:
            found = await _unless_stopping(status, job_id, wait_seconds, stale_ok, stopping)
        else:
            found = await status.job(job_id, stale_ok=stale_ok)
    if found is None:
        raise _unknown(job_id)
    return found


async def _unless_stopping(
    status: StatusReader, job_id: str, wait_seconds: float, stale_ok: bool, stopping: asyncio.Event
) -> JobStatus | None:
    waiting = asyncio.ensure_future(status.job(job_id, wait_seconds=wait_seconds, stale_ok=stale_ok))
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({waiting, stop}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else status.known(job_id)
    finally:
        waiting.cancel()
        stop.cancel()


def _unknown(job_id: str) -> Exception:
    return problem("unknown-job", f"There is no job {job_id!r:.140}.", job_id=job_id)


def _shown(node: Node, deepest: int) -> TreeJob:
    return TreeJob(
        job_id=node.job_id,
        task=node.listing.task,
        state=JobState(node.listing.state),
        step=node.step,
        children=[_shown(child, deepest - 1) for child in node.children] if deepest > 1 else [],
    )


def _depth(top: Node) -> int:
    depth, level = 0, [top]
    while level:
        depth, level = depth + 1, [child for node in level for child in node.children]
    return depth
