"""The pages over jobs that are made up, and what was asked of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from events.gateway.access import Access
from events.gateway.keys import ApiKey, KeyRing, Scope, new_key
from events.gateway.pages.lineage import steps
from events.gateway.pages.router import add_pages
from events.gateway.pages.source import (
    Asking,
    Document,
    Family,
    JobFilter,
    JobsPage,
    KnownJob,
    LagLine,
    LettersPage,
    LetterView,
    Overview,
    ScheduleLine,
    TaskLine,
    TreeNode,
    WorkerLine,
)
from events.gateway.problems import Problem
from events.gateway.ratelimit import RateLimit
from events.gateway.sessions import Sessions
from schemas.command import Command
from schemas.job import JobState
from schemas.status import JobStatus
from tests.example_jobs import JOBS, LETTERS, NOON, SCHEDULES

LAGS = [LagLine("flights", 1_234_567, 4711.0), LagLine("headrace.jobs", 0, 0.0)]


@dataclass
class ExampleSource:
    """What is known; tests change it."""

    known: list[JobStatus] = field(default_factory=lambda: list(JOBS))
    schedule_lines: list[ScheduleLine] = field(default_factory=lambda: list(SCHEDULES))
    letter_views: dict[str, LetterView] = field(default_factory=lambda: dict(LETTERS))
    answers: dict[str, Document] = field(default_factory=dict)
    workers: list[WorkerLine] = field(
        default_factory=lambda: [
            WorkerLine(name="worker-7f9c", state="ready", release="42", running=3, started_at=NOON,
                       seen_at=NOON, partitions={"jobs": [0, 1], "flights": [0]}),
            WorkerLine(name="worker-old", state="silent", seen_at=NOON),
        ]
    )  # fmt: skip
    behind_seconds: float = 0.1
    is_current: bool = True
    asked: list[JobFilter] = field(default_factory=list)

    async def overview(self) -> Overview:
        return Overview(
            tasks=[
                TaskLine(
                    name=name,
                    counts={
                        state: sum(1 for job in self.known if (job.task, job.state) == (name, state))
                        for state in JobState
                    },
                    doc="Send one e-mail." if name == "send_email" else None,
                    on=["flight.departed"] if name == "send_email" else (),
                    announced=name != "call_webhook",
                )
                for name in await self.task_names()
            ],
            workers=self.workers,
            failures=[job for job in self.known if job.state is JobState.FAILED],
            letters=len(self.letter_views),
            lags=LAGS if self.known else (),
            behind_seconds=self.behind_seconds,
        )

    async def task_names(self) -> Sequence[str]:
        return sorted({job.task for job in self.known})

    async def job(self, job_id: str) -> KnownJob | None:
        found = next((job for job in self.known if job.job_id == job_id), None)
        return None if found is None else KnownJob(found, self.is_current)

    async def jobs(self, wanted: JobFilter, *, limit: int, cursor: str | None) -> JobsPage:
        self.asked.append(wanted)
        found = [
            job for job in self.known if wanted.task in (None, job.task) and wanted.state in (None, job.state)
        ]
        start = int(cursor or 0)
        more = len(found) > start + limit
        return JobsPage(found[start : start + limit], str(start + limit) if more else None)

    async def family(self, job: JobStatus) -> Family:
        if job.root is None:
            return Family([TreeNode(job=job)], True)
        return Family(steps(each for each in self.known if each.root == job.root), True)

    async def letter_of(self, job_id: str) -> str | None:
        return next((id for id, each in self.letter_views.items() if each.line.job_id == job_id), None)

    async def schedules(self) -> Sequence[ScheduleLine]:
        return self.schedule_lines

    async def letters(
        self, *, task: str | None, reason: str | None, limit: int, cursor: str | None
    ) -> LettersPage:
        lines = [each.line for each in self.letter_views.values()]
        return LettersPage([line for line in lines if reason in (None, line.reason)], None)

    async def letter(self, letter_id: str) -> LetterView | None:
        return self.letter_views.get(letter_id)

    async def answer(self, command_id: str) -> Document | None:
        return self.answers.get(command_id)


@dataclass
class ExampleCommands:
    """Does what is asked to the jobs of a source. `refusal` is raised instead."""

    source: ExampleSource
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    refusal: Problem | None = None

    async def ask_job(
        self,
        asking: Asking,
        command: Command,
        job_id: str,
        *,
        reason: str = "",
        due: dt.datetime | None = None,
    ) -> str:
        self._ask(asking, command, job_id, reason, due)
        if command is Command.CANCEL:
            self.source.known = [
                each.model_copy(
                    update={"state": JobState.CANCELLED, "finished": True, "cancel_reason": reason}
                )
                if each.job_id == job_id
                else each
                for each in self.source.known
            ]
            self.source.answers[asking.key] = {"answer": "cancelled", "job_id": job_id}
        return asking.key

    async def redrive(self, asking: Asking, letter_id: str) -> str:
        self._ask(asking, Command.REDRIVE, letter_id)
        self.source.answers[asking.key] = {"answer": "redriven"}
        return asking.key

    async def ask_schedule(self, asking: Asking, command: Command, schedule: str) -> str:
        self._ask(asking, command, schedule)
        self.source.answers[asking.key] = {"answer": "paused"}
        return asking.key

    def _ask(self, asking: Asking, *what: Any) -> None:
        self.asked.append((asking.caller.id, *what))
        if self.refusal is not None:
            raise self.refusal


@dataclass
class Example:
    """An application with its pages, and the keys to it; empty without."""

    app: FastAPI
    source: ExampleSource
    commands: ExampleCommands
    access: Access
    reading: str = ""
    operating: str = ""


def example(*, with_keys: bool = False, source: ExampleSource | None = None) -> Example:
    """The pages over a source."""
    source = source or ExampleSource()
    keys: list[ApiKey] = []
    secrets = {"reading": "", "operating": ""}
    if with_keys:
        for name, scopes in (("reading", [Scope.READ]), ("operating", [Scope.READ, Scope.OPERATE])):
            secrets[name], key = new_key(scopes, id=name)
            keys.append(key)
    sessions = Sessions(b"of a test", lifetime_seconds=600, clock=lambda: 1_000_000.0)
    free, few = (RateLimit(rate, 3, clock=lambda: 0.0) for rate in (0.0, 1.0))
    app = FastAPI(openapi_url=None)
    app.state.access = access = Access(KeyRing(keys), sessions, requests=free, guesses=few)
    commands = ExampleCommands(source)
    add_pages(app, source, commands)
    return Example(app, source, commands, access, **secrets)
