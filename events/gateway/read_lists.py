"""Routes that tell of everything but jobs: tasks, workers, dead letters, and all at a glance."""

import datetime as dt
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from events.gateway.parts import parts_of
from events.gateway.problems import problem
from events.gateway.read_models import (
    Letter,
    LetterList,
    Overview,
    ScheduleInfo,
    ScheduleList,
    TaskList,
    WorkerList,
)
from events.gateway.reading import MayRead, answers, json_of, looking, status_of
from events.gateway.telling import letter_info, schedule_info, task_info, whole_letter, worker_info
from schemas.deadletter import Reason
from schemas.job import JobState

router = APIRouter(dependencies=[MayRead])

Text = Annotated[str | None, Query(min_length=1, max_length=300)]


@router.get("/overview", operation_id="overview", summary="Everything at a glance", tags=["operation"],
            response_model=Overview, responses=answers())  # fmt: skip
async def overview(request: Request) -> Response:
    """Counts of the jobs that are known: unfinished ones, and finished ones until they are forgotten."""
    status, now_ms = status_of(request), parts_of(request).now_ms()
    counts = status.counts()
    states: Counter[JobState] = Counter()
    for of_task in counts.values():
        states.update(of_task)
    workers = [worker_info(name, told, now_ms) for name, told in status.workers().items()]
    return json_of(
        Overview(
            states=dict(states),
            tasks=counts,
            dead_letters=status.letter_counts(),
            workers=sum(not worker.silent and worker.state != "stopped" for worker in workers),
            ready=status.ready,
            lag_seconds=status.lag_seconds,
            at=dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC),
        )
    )


@router.get("/tasks", operation_id="list_tasks", summary="Tasks, and how their jobs are", tags=["operation"],
            response_model=TaskList, responses=answers())  # fmt: skip
async def list_tasks(request: Request) -> Response:
    """What workers announced, and tasks only jobs tell of."""
    status = status_of(request)
    announced, counts = status.tasks(), status.counts()
    names = sorted(announced.keys() | counts.keys())
    return json_of(
        TaskList(tasks=[task_info(name, announced.get(name), counts.get(name, {})) for name in names])
    )


@router.get("/workers", operation_id="list_workers", summary="Workers by their last sign of life",
            tags=["operation"], response_model=WorkerList, responses=answers())  # fmt: skip
async def list_workers(request: Request) -> Response:
    """Those that were heard of within about an hour."""
    now_ms = parts_of(request).now_ms()
    found = status_of(request).workers().items()
    return json_of(WorkerList(workers=[worker_info(name, told, now_ms) for name, told in found]))


@router.get("/schedules", operation_id="list_schedules", summary="Every schedule", tags=["schedules"],
            response_model=ScheduleList, responses=answers())  # fmt: skip
async def list_schedules(request: Request) -> Response:
    """What workers announced and did not take away, with the last and the next run of each."""
    found = status_of(request).schedules()
    return json_of(ScheduleList(schedules=[schedule_info(name, told) for name, told in found.items()]))


@router.get("/schedules/{name}", operation_id="get_schedule", summary="One schedule", tags=["schedules"],
            response_model=ScheduleInfo, responses=answers("unknown-schedule"))  # fmt: skip
async def get_schedule(
    request: Request, name: Annotated[str, Path(min_length=1, max_length=200)]
) -> Response:
    """With its last and its next run."""
    told = status_of(request).schedules().get(name)
    if told is None:
        raise problem("unknown-schedule", f"No worker announces a schedule {name!r:.210}.")
    return json_of(schedule_info(name, told))


@router.get("/dead-letters", operation_id="list_dead_letters", summary="Dead letters, newest first",
            tags=["dead letters"], response_model=LetterList, responses=answers())  # fmt: skip
async def list_letters(
    request: Request,
    source: Text = None,
    task: Text = None,
    reason: Reason | None = None,
    job_id: Annotated[Text, Query(description="of this job")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[Text, Query(description="of the page before")] = None,
) -> Response:
    """Without what is in them: `GET /dead-letters/{letter_id}` reads one from its topic."""
    asked = {"source": source, "task": task, "reason": reason, "job_id": job_id}
    filters = {name: value for name, value in asked.items() if value is not None}

    def wanted(facts: dict[str, Any]) -> bool:
        return all(facts[name] == value for name, value in filters.items())

    found, more = status_of(request).letter_page(wanted=wanted, limit=limit, before=cursor or "")
    return json_of(LetterList(letters=[letter_info(facts) for facts in found], cursor=more))


@router.get("/dead-letters/{letter_id}", operation_id="get_dead_letter", summary="A dead letter whole",
            tags=["dead letters"], response_model=Letter,
            responses=answers("unknown-dead-letter"))  # fmt: skip
async def get_letter(
    request: Request,
    letter_id: Annotated[
        str, Path(min_length=1, max_length=400, description="`source:partition:offset`, or the id of its job")
    ],
) -> Response:
    """With the original key, value and headers, read from its topic."""
    status = status_of(request)
    facts = status.letter(letter_id)
    async with looking():
        record = None if facts is None else await status.letter_record(facts)
    if facts is None or record is None:
        raise problem("unknown-dead-letter", f"There is no dead letter {letter_id!r:.140}.")
    return json_of(whole_letter(facts, record))
