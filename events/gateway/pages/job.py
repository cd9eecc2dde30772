"""One job: all that is known of it, and what can be asked of it."""

import datetime as dt
from collections.abc import Awaitable
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from events.gateway.pages.times import read_time
from events.gateway.pages.visit import Visit
from events.gateway.pages.wording import answer_text
from events.gateway.problems import Problem, problem
from schemas.command import Command
from schemas.job import JobState

PATH: Final = "/ui/job"
_MAX_REASON_CHARACTERS: Final = 500
_PARKED: Final = frozenset({JobState.SCHEDULED, JobState.RETRYING})
_ENDED_BADLY: Final = frozenset({JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED, JobState.DISCARDED})


async def show(visit: Visit) -> Response:
    """The job with its attempts, its place in a workflow, and forms for what can be done now."""
    job_id = visit.job_id()
    known = await visit.source.job(job_id)
    if known is None:
        raise problem("unknown-job", f"Nothing is known of a job {job_id!r}.")
    job = known.status
    family = await visit.source.family(job) if job.root or job.children else None
    letter = await visit.source.letter_of(job_id) if job.state is JobState.FAILED else None
    return visit.page(
        "job.html",
        job=job,
        is_current=known.is_current,
        family=family,
        letter=letter,
        notice=await notice(visit),
        can_cancel=not job.finished,
        can_move=job.state in _PARKED,
        can_retry=job.state in _ENDED_BADLY,
        quoted_id=quote(job_id, safe=""),
    )


async def notice(visit: Visit) -> tuple[str, bool] | None:
    """What became of the command the address names."""
    command_id = visit.asked("command")
    return answer_text(await visit.source.answer(command_id[:128])) if command_id else None


async def cancel(visit: Visit) -> Response:
    reason = visit.form.get("reason", "").strip()[:_MAX_REASON_CHARACTERS]
    return await _ask(visit, Command.CANCEL, reason=reason)


async def retry(visit: Visit) -> Response:
    return await _ask(visit, Command.RETRY)


async def reschedule(visit: Visit) -> Response:
    try:
        due = read_time(visit.form.get("run_at", ""))
    except (ValueError, OverflowError):
        due = None
    if due is None:
        raise problem("invalid-request", "run at: wanted a date and time like 2026-03-01T14:30.")
    return await _ask(visit, Command.RESCHEDULE, due=due)


async def _ask(
    visit: Visit, command: Command, *, reason: str = "", due: dt.datetime | None = None
) -> Response:
    job_id = visit.job_id()
    asked = visit.commands.ask_job(visit.asking(), command, job_id, reason=reason, due=due)
    return visit.go(PATH, id=job_id, command=await answered(asked))


async def answered(asked: Awaitable[str]) -> str:
    """The id of a command its owner has answered, be it with no: the page then shows that answer."""
    try:
        return await asked
    except Problem as wrong:
        command_id = wrong.more.get("command_id")
        if wrong.status != 409 or not isinstance(command_id, str):
            raise
        return command_id
