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
from events.status.errors import Behind
from events.status.query import BadCursor, JobQuery
from events.status.reader import StatusReader
from schemas.job import JobState
from schemas.status import JobStatus, moment

SILENT_MS: Final = 30_000
GONE_MS: Final = 3600 * 1000
LATEST_FAILURES: Final = 10
LAG_SECONDS: Final = 3.0
_LAST_STATES: Final = ("silent", "stopped")

ReadLags = Callable[[], Awaitable[Sequence[LagLine]]]


class StatusPages:
    """A source of pages. `lags` may be slow or fail: then none are shown."""

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
            lags=await self._read_lags(),
            behind_seconds=reader.lag_seconds,
        )

    async def _read_lags(self) -> Sequence[LagLine]:
        if self._lags is None:
            return ()
        try:
            async with asyncio.timeout(LAG_SECONDS):
                return await self._lags()
        except (BrokerDown, TimeoutError):
            return ()

    async def task_names(self) -> Sequence[str]:
        return sorted({*_there(self._reader.tasks()), *self._reader.counts()})

    async def job(self, job_id: str) -> KnownJob | None:
        try:
            status = await self._reader.job(job_id)
        except (Behind, BrokerDown):
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
    there = set(_there(announced))
    lines = []
    for name in sorted(there | counts.keys()):
        told = announced.get(name, {})
        doc = told.get("doc")
        lines.append(
            TaskLine(
                name=name,
                counts=counts.get(name, {}),
                announced=name in there,
                doc=doc.strip().partition("\n")[0] if isinstance(doc, str) else None,
                on=[str(each.get("type")) for each in told.get("on") or () if isinstance(each, dict)],
            )
        )
    return lines


def _workers(told: Mapping[str, Mapping[str, Any]], now_ms: int) -> list[WorkerLine]:
    lines = []
    for name, each in told.items():
        at_ms = each.get("at_ms") or 0
        if now_ms - at_ms > GONE_MS:
            continue
        state = str(each.get("state") or "running")
        silent = state != "stopped" and now_ms - at_ms > SILENT_MS
        partitions = each.get("partitions")
        lines.append(
            WorkerLine(
                name=name,
                state="silent" if silent else state,
                release=str(each["release"]) if each.get("release") is not None else None,
                running=each.get("running"),
                started_at=moment(each.get("started_ms")),
                seen_at=moment(at_ms),
                partitions=partitions if isinstance(partitions, dict) else {},
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
