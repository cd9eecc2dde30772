"""Answers about jobs, from what was read of Kafka: for the gateway, and for whoever wants the same in Python.

No answer about a job is older than the question: a job that may still change, or that is not known, is
looked up once everything is read that Kafka had when it was asked for. So two replicas never contradict
each other, however far one of them is behind; it answers later, or says that it cannot.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol, Self

import orjson

from events.log_reader import LogReader, LogRecord
from events.status import folded, query
from events.status.batch import LETTERS
from events.status.document import status_of
from events.status.ends import Ends
from events.status.errors import Behind
from events.status.folded import Folded
from events.status.ingest_thread import IngestThread
from events.status.keys import ANSWER, CURSOR, LETTER, LETTER_OF, LETTER_TIME, STATE_OF, TIME_BYTES
from events.status.known import Known, Progress, Tell
from events.status.query import JobPage, JobQuery
from events.status.settings import StatusSettings
from events.status.store import Partition, View
from events.status.waiting import Waiting
from events.topics import JOBS, dlq_topic, ledger_topic, retry_topic
from schemas.job import JobState
from schemas.state import COMMAND_PREFIX, Position
from schemas.status import JobStatus

CHILDREN_TOLD: Final = 100
LETTERS_LOOKED_AT: Final = 20_000
_MAY_RUN_AGAIN: Final = frozenset({JobState.FAILED.value})


class Located(NamedTuple):
    """Where a job lives. `at` is the record that asked for it; None for one that no record asked for."""

    source: str
    partition: int
    at: Position | None
    task: str


class Feed(Protocol):
    """Who reads Kafka for us: `IngestThread` or `IngestProcess`."""

    def open(self) -> View: ...
    def start(self, tell: Tell) -> None: ...
    def stop(self) -> None: ...
    @property
    def alive(self) -> bool: ...


class StatusReader:
    """The read model of one process. An async context manager, once; use it in one event loop.

    Reads Kafka in a thread unless `feed` is given. Entering raises InvalidSettings when its folder cannot
    be used.
    """

    def __init__(
        self,
        settings: StatusSettings | None = None,
        *,
        feed: Feed | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.settings = settings or StatusSettings()
        self._now_ms = now_ms
        self._feed = feed or IngestThread(self.settings, now_ms)
        self._known = Known()
        self.waiting = Waiting(lambda: self._known.positions)
        self._opened: View | None = None

    def open(self) -> None:
        """Open the database now, so that what is wrong with it is told before anything else begins.

        Entering does it too. Raises InvalidSettings.
        """
        self._opened = self._opened or self._feed.open()

    @property
    def store(self) -> View:
        """The database. Only inside."""
        assert self._opened is not None
        return self._opened

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.open()
        self._ends = Ends(self.settings)
        self._letter_lock = asyncio.Lock()

        def told(progress: Progress) -> None:
            self._known.take(progress)
            if self.waiting.any:
                ids = None if progress.anew else set(progress.ids)
                loop.call_soon_threadsafe(self.waiting.progressed, ids)

        self._feed.start(told)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._ends.close()
        finally:
            await asyncio.to_thread(self._feed.stop)
            self._opened = None

    # -- jobs

    async def job(
        self, job_id: str, *, wait_seconds: float = 0.0, stale_ok: bool = False
    ) -> JobStatus | None:
        """The status of a job, None when Kafka knows none of that id.

        `wait_seconds`: wait so long for it to finish, and return it either way. `stale_ok`: what is known
        here and now, however old. Raises Behind when reading cannot catch up in time, BrokerDown when Kafka
        does not say how much there is to read.
        """
        until = time.monotonic() + wait_seconds
        if not stale_ok and (settled := await self._settled_or_caught_up(job_id)) is not None:
            return settled
        with self.waiting.for_job(job_id) as changed:
            while True:
                status = self.known(job_id)
                left = until - time.monotonic()
                if status is None or status.finished or left <= 0:
                    return status
                await changed(left)

    def known(self, job_id: str) -> JobStatus | None:
        """What is known of a job here and now."""
        job = self._kept(job_id)
        return None if job is None else self._told(job_id, job)

    def _kept(self, job_id: str) -> Folded | None:
        job = query.job_of(self.store, job_id)
        return None if job is None or folded.is_over(job, self._now_ms()) else job

    def _told(self, job_id: str, job: Folded) -> JobStatus | None:
        return status_of(job_id, job, query.children_of(self.store, job_id, CHILDREN_TOLD))

    async def caught_up(self, partitions: set[Partition] | None = None) -> None:
        """Return once all is read that is in these partitions, or in any, now. Raises Behind, BrokerDown."""
        until = time.monotonic() + self.settings.status_catch_up_seconds
        ends = await self._ends.of(partitions)
        if not await self.waiting.reached(ends, until - time.monotonic()):
            seconds = self.settings.status_catch_up_seconds
            raise Behind(f"The read model is behind Kafka and did not catch up within {seconds:g} s.")

    async def _settled_or_caught_up(self, job_id: str) -> JobStatus | None:
        """The status of a job that changes no more; None once all is read that tells of one that may."""
        job = self._kept(job_id)
        if job is not None and self._is_settled(job):
            return self._told(job_id, job)
        await self.caught_up(None if job is None else self._homes_of(job))
        return None

    def _is_settled(self, job: Folded) -> bool:
        record = folded.newest(job)
        if record is None or not record.finished:
            return False
        return record.document["state"] not in _MAY_RUN_AGAIN and not (job.get("q") or {}).get("unique")

    def _homes_of(self, job: Folded) -> set[Partition] | None:
        """The state partitions that tell more of a job; None while some are not known to be there."""
        places = {place.rpartition("/")[::2] for place in job.get("s", {})}
        if "q" in job:
            places.add((JOBS, str(job["q"]["at"][1])))
        app_id = self.settings.app_id
        homes = {
            (topic(app_id, source), int(number))
            for source, number in places
            for topic in (retry_topic, ledger_topic)
        }
        return homes if homes <= self._known.places else None

    async def jobs(self, wanted: JobQuery) -> JobPage:
        """A page of jobs, newest first, as they are known here. Raises BadCursor."""
        return query.find(self.store, self._counted, wanted, self._now_ms())

    async def locate(self, job_id: str) -> Located | None:
        """Where a job lives, None when Kafka knows none of that id. Raises Behind, BrokerDown."""
        job = query.job_of(self.store, job_id)
        if job is None:
            await self.caught_up()
            job = query.job_of(self.store, job_id)
        if job is None or (status := status_of(job_id, job)) is None:
            return None
        origin = status.origin
        at = None if origin is None else Position(origin.topic, origin.partition, origin.offset)
        return Located(status.source, status.partition, at, status.task)

    # -- commands and schedules

    async def answer(self, command_id: str, timeout: float) -> dict[str, Any] | None:
        """The answer to a command, None when there is none within `timeout` seconds."""
        until = time.monotonic() + timeout
        with self.waiting.for_job(COMMAND_PREFIX.decode() + command_id) as changed:
            while True:
                raw = self.store.get(ANSWER + command_id.encode())
                if raw is not None:
                    found: dict[str, Any] = orjson.loads(raw[TIME_BYTES:])
                    return found
                left = until - time.monotonic()
                if left <= 0:
                    return None
                await changed(left)

    def schedules(self) -> dict[str, dict[str, Any]]:
        """What workers announce of each schedule that is not removed, with its `cursor` if there is one."""
        found = {}
        for name, told in sorted(self._known.announced.schedules.items()):
            if not told.get("removed"):
                cursor = self.store.get(CURSOR + name.encode())
                found[name] = told | {"cursor": None if cursor is None else orjson.loads(cursor)}
        return found

    # -- dead letters

    def letters(
        self, *, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, limit: int = 50, before: str = ""
    ) -> list[dict[str, Any]]:
        """Dead letters, newest first, after the letter of the id `before`."""
        return self.letter_page(wanted=wanted, limit=limit, before=before)[0]

    def letter_page(
        self, *, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, limit: int = 50, before: str = ""
    ) -> tuple[list[dict[str, Any]], str | None]:
        """(the same letters, the `before` of the next page; None when there is none).

        A page may be short where much was looked through.
        """
        start = LETTER
        if before and (time := self.store.get(LETTER_TIME + before.encode())) is not None:
            start = LETTER + time + before.encode() + b"\0"
        found: list[dict[str, Any]] = []
        for looked, (_, raw) in enumerate(self.store.scan(LETTER, start), 1):
            facts = orjson.loads(raw)
            if wanted(facts):
                found.append(facts)
            if len(found) >= limit or looked >= LETTERS_LOOKED_AT:
                return found, facts["id"]
        return found, None

    def letter(self, id: str) -> dict[str, Any] | None:
        """What is listed of one letter, by its id or by that of its job (the newest one)."""
        wanted = next((raw for _, raw in self.store.scan(LETTER_OF + id.encode() + b"\0")), id.encode())
        time = self.store.get(LETTER_TIME + wanted)
        raw = None if time is None else self.store.get(LETTER + time + wanted)
        return None if raw is None else orjson.loads(raw)

    async def letter_record(self, facts: dict[str, Any]) -> LogRecord | None:
        """The letter itself, read from Kafka; None when its topic no longer has it. Raises BrokerDown."""
        async with self._letter_lock, LogReader(self.settings, timeout_seconds=10) as reader:
            topic = dlq_topic(self.settings.app_id, facts["source"])
            return await reader.record_at(topic, facts["partition"], facts["offset"])

    # -- all together

    def tasks(self) -> dict[str, dict[str, Any]]:
        """What workers announce of each task."""
        return dict(sorted(self._known.announced.tasks.items()))

    def workers(self) -> dict[str, dict[str, Any]]:
        """The last sign of life of each worker."""
        return dict(sorted(self._known.announced.workers.items()))

    def counts(self) -> dict[str, dict[JobState, int]]:
        """How many jobs are known, by task and state."""
        found: dict[str, dict[JobState, int]] = {}
        for lane, number in self._counted().items():
            if number > 0 and not lane.startswith(b"\0"):
                found.setdefault(lane[:-2].decode(), {})[STATE_OF[lane[-1]]] = number
        return found

    def letter_counts(self) -> dict[str, int]:
        """How many dead letters there are, by source."""
        return {
            lane[len(LETTERS) :].decode(): number
            for lane, number in self._counted().items()
            if number > 0 and lane.startswith(LETTERS)
        }

    def _counted(self) -> dict[bytes, int]:
        return dict(self._known.counts)

    @property
    def lag_seconds(self) -> float | None:
        """How long ago all was read that there was; None before the first time. Grows when Kafka is away."""
        fresh_at = self._known.fresh_at
        return None if fresh_at is None else time.monotonic() - fresh_at

    @property
    def alive(self) -> bool:
        """Whether reading has not ended for good."""
        return self._feed.alive

    @property
    def ready(self) -> bool:
        """Whether reading goes on and is not far behind."""
        lag = self.lag_seconds
        return self.alive and lag is not None and lag <= self.settings.status_ready_lag_seconds
