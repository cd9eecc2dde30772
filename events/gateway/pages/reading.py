"""What the pages show, from the read model."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from events.dead_letters import letter_of
from events.errors import BrokerDown
from events.gateway.pages import lineage
from events.gateway.pages.source import (
    Document,
    Family,
    JobFilter,
    JobsPage,
    KnownJob,
    LagLine,
    LetterLine,
    LettersPage,
    LetterView,
    Overview,
    ScheduleLine,
    TaskLine,
    TreeNode,
    WorkerLine,
)
from events.gateway.problems import problem
from events.gateway.telling import task_info, worker_info
from events.status.errors import Behind
from events.status.query import BadCursor, JobQuery
from events.status.reader import StatusReader
from schemas.job import JobState
from schemas.status import JobStatus, moment

GONE_MS: Final = 3600 * 1000
LATEST_FAILURES: Final = 10
CURRENT_SECONDS: Final = 3.0
"""How long a page waits for the newest there is; then it shows what is known."""
_LAST_STATES: Final = ("silent", "stopped")

ReadLags = Callable[[], Awaitable[Sequence[LagLine]]]


class StatusPages:
    """A source of pages. `lags` reads how far the workers are behind."""

    def __init__(
        self,
        reader: StatusReader,
        *,
        lags: ReadLags | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._reader = reader
        self._lags = lags
        self._now_ms = now_ms

    async def overview(self) -> Overview:
        reader = self._reader
        failures = await reader.jobs(JobQuery(state=JobState.FAILED, limit=LATEST_FAILURES))
        return Overview(
            tasks=_tasks(reader.tasks(), reader.counts()),
            workers=_workers(reader.workers(), self._now_ms()),
            failures=failures.jobs,
            letters=sum(reader.letter_counts().values()),
            lags=await self._lags() if self._lags else (),
            behind_seconds=reader.lag_seconds,
        )

    async def task_names(self) -> Sequence[str]:
        return sorted({*_there(self._reader.tasks()), *self._reader.counts()})

    async def job(self, job_id: str) -> KnownJob | None:
        try:
            async with asyncio.timeout(CURRENT_SECONDS):
                status = await self._reader.job(job_id)
        except (Behind, BrokerDown, TimeoutError):
            known = self._reader.known(job_id)
            if known is None:
                raise problem(
                    "not-ready", "Kafka could not be read up to now, and the job is not known yet.",
                    retry_after=2,
                ) from None  # fmt: skip
            return KnownJob(known, False)
        return None if status is None else KnownJob(status, True)

    async def jobs(self, wanted: JobFilter, *, limit: int, cursor: str | None) -> JobsPage:
        query = JobQuery(
            task=wanted.task,
            state=wanted.state,
            since_ms=wanted.since_ms,
            until_ms=wanted.until_ms,
            event_id=wanted.event_id,
            parent=wanted.parent,
            root=wanted.root,
            schedule=wanted.schedule,
            limit=limit,
            cursor=cursor,
        )
        try:
            return JobsPage(*await self._reader.jobs(query))
        except BadCursor:
            raise problem("invalid-request", "The address of this page of the list is broken.") from None

    async def family(self, job: JobStatus) -> Family:
        if job.root is None:
            return lineage.descendants(job, self._reader.known)
        found = await self._reader.jobs(JobQuery(root=job.root, limit=lineage.MOST_NODES))
        nodes: list[TreeNode] = lineage.steps(found.jobs)
        return Family(nodes, found.cursor is None)

    async def letter_of(self, job_id: str) -> str | None:
        facts = self._reader.letter(job_id)
        return None if facts is None else str(facts["id"])

    async def schedules(self) -> Sequence[ScheduleLine]:
        return [_schedule(name, told) for name, told in self._reader.schedules().items()]

    async def letters(
        self, *, task: str | None, reason: str | None, limit: int, cursor: str | None
    ) -> LettersPage:
        def wanted(facts: dict[str, Any]) -> bool:
            return task in (None, facts["task"]) and reason in (None, facts["reason"])

        found = self._reader.letters(wanted=wanted, limit=limit, before=cursor or "")
        return LettersPage(
            [_letter(facts) for facts in found], found[-1]["id"] if len(found) == limit else None
        )

    async def letter(self, letter_id: str) -> LetterView | None:
        facts = self._reader.letter(letter_id)
        if facts is None:
            return None
        try:
            record = await self._reader.letter_record(facts)
        except BrokerDown:
            raise problem(
                "kafka-unavailable", "Kafka did not give the letter back in time.", retry_after=2
            ) from None
        if record is None:
            return None
        letter = letter_of(record, facts["source"])
        return LetterView(
            line=_letter(facts),
            facts=letter.facts,
            headers=letter.original_headers,
            key=letter.key,
            value=letter.value,
        )

    async def answer(self, command_id: str) -> Document | None:
        return await self._reader.answer(command_id, 0.0)


def _there(announced: Mapping[str, Any]) -> list[str]:
    return [name for name, told in announced.items() if not told.get("removed")]


def _tasks(
    announced: Mapping[str, Mapping[str, Any]], counts: Mapping[str, Mapping[JobState, int]]
) -> list[TaskLine]:
    lines = []
    for name in sorted({*_there(announced), *counts}):
        told = task_info(name, announced.get(name), dict(counts.get(name, {})))
        lines.append(
            TaskLine(
                name=name,
                counts=told.states,
                announced=told.announced and not told.removed,
                doc=told.doc.strip().partition("\n")[0] if told.doc else None,
                on=[str(each.get("type")) for each in told.on],
            )
        )
    return lines


def _workers(announced: Mapping[str, Mapping[str, Any]], now_ms: int) -> list[WorkerLine]:
    lines = []
    for name, each in announced.items():
        told = worker_info(name, each, now_ms)
        if told.seen_at is None or now_ms - told.seen_at.timestamp() * 1000 > GONE_MS:
            continue
        lines.append(
            WorkerLine(
                name=name,
                state="silent" if told.silent else told.state,
                release=told.release,
                running=told.running,
                started_at=told.started_at,
                seen_at=told.seen_at,
                partitions=told.partitions,
            )
        )
    return sorted(lines, key=lambda line: (line.state in _LAST_STATES, line.name))


def _schedule(name: str, told: Mapping[str, Any]) -> ScheduleLine:
    cursor = told.get("cursor") or {}
    last = cursor.get("last_outcome") or {}
    every = told.get("every_seconds")
    return ScheduleLine(
        name=name,
        task=str(told.get("task") or ""),
        timing=str(told.get("cron") or (f"every {every:g} s" if every else "?")),
        timezone=told.get("timezone"),
        next_at=moment(cursor.get("next_ms")),
        last_at=moment(last.get("scheduled_ms") or cursor.get("last_ms")),
        paused=bool(cursor.get("paused")),
        outcome=last.get("outcome"),
        why=last.get("why"),
        job_id=last.get("job_id"),
        missed=told.get("missed"),
        overlap=told.get("overlap"),
    )


def _letter(facts: Mapping[str, Any]) -> LetterLine:
    return LetterLine(
        id=facts["id"],
        topic=facts["topic"],
        partition=facts["partition"],
        offset=facts["offset"],
        reason=facts["reason"],
        job_id=facts["job_id"] or None,
        task=facts["task"] or None,
        at=moment(facts["ms"]),
    )
