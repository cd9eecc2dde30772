"""A job that Kafka has, and what can be asked of it: its result, its status, to end.

Read from the state topics, with no gateway in between; a handle nobody asks costs nothing.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from events.commanding import source_of_topic
from events.errors import NoSuchJob
from events.following import FROM_THE_BEGINNING, Place, Watch
from events.job_status import CommandAnswer, JobStatus, result_of, status_of
from schemas.command import Command
from schemas.job import JobState
from schemas.state import Position, StateRecord

if TYPE_CHECKING:
    from events.queue import JobQueue

CLOCK_SKEW_MS: Final = 60_000
LOOK_BACK_SECONDS: Final = 1.0


class JobHandle:
    """A job. `position` is where its request is, None for a job that is only known by its id.

    `named`: the caller chose what makes it the same job, so that it may have run long ago.
    """

    __slots__ = ("_asked_ms", "_late", "_named", "_queue", "_unique", "_watch", "job_id", "position")

    def __init__(
        self,
        job_id: str,
        position: Position | None,
        queue: "JobQueue | None" = None,
        *,
        asked_ms: int = FROM_THE_BEGINNING,
        named: bool = False,
        unique: bool = False,
    ) -> None:
        self.job_id = job_id
        self.position = position
        self._queue = queue
        self._asked_ms = asked_ms
        self._named = named
        self._unique = unique
        self._late = asked_ms == FROM_THE_BEGINNING  # whatever is known may have been read before
        self._watch: Watch | None = None if queue is None else queue.follower.watch(job_id)

    def __repr__(self) -> str:
        return f"<Job {self.job_id} at {self.position}>"

    async def result(self, *, timeout: float | None = None) -> Any:
        """Wait for the job to finish; returns what its handler returned, as JSON holds it.

        Raises TimeoutError after `timeout` seconds, JobFailed, JobCancelled, JobExpired or JobDiscarded (all
        JobNotCompleted) when there is no result, ResultNotKept when it was not kept.
        """
        queue, watch = self._asked()
        async with asyncio.timeout(timeout):
            places = await self._follow()
            looking_back = asyncio.create_task(self._look_back(places)) if self._named else None
            try:
                record = await queue.follower.waiting(lambda: self._finished(watch))
            finally:
                if looking_back is not None:
                    looking_back.cancel()
        return result_of(status_of(self.job_id, record))

    async def status(self) -> JobStatus:
        """How the job stands now. Raises NoSuchJob for an id nothing is known of (any more)."""
        queue, watch = self._asked()
        places = await self._follow()
        await queue.follower.caught_up(places)
        record = self._current(watch)
        if record is None and self._named and await self._was_read():
            await queue.follower.follow(places, FROM_THE_BEGINNING, anew=True)
            await queue.follower.caught_up(places)
            record = self._current(watch)
        if record is None and self.position is None:
            raise NoSuchJob(f"nothing is known of job {self.job_id}: not taken yet, or forgotten since")
        return status_of(self.job_id, record)

    async def cancel(self, *, reason: str = "", timeout: float = 30.0) -> CommandAnswer:
        """Have it end; says what really happened. Waiting and parked jobs are cancelled at once, running ones
        told to end. Raises TimeoutError when no worker answers in time: it may still be done."""
        return await self.ask(Command.CANCEL, timeout=timeout, reason=reason)

    async def retry(self, *, timeout: float = 30.0) -> CommandAnswer:
        """Run a job that ended badly once more; one that is parked runs now."""
        return await self.ask(Command.RETRY, timeout=timeout)

    async def reschedule(self, due_ms: int, *, timeout: float = 30.0) -> CommandAnswer:
        """Have a parked job run at another time, in milliseconds since 1970."""
        return await self.ask(Command.RESCHEDULE, timeout=timeout, due_ms=due_ms)

    async def ask(self, command: Command, *, timeout: float, **body: Any) -> CommandAnswer:
        """Give the owner of the job's partition a command, and wait for its answer."""
        queue, watch = self._asked()
        place = self._place()
        if place is None:
            await self.status()
            place = watch.place
        assert place is not None
        at = None if self.position is None else list(self.position)
        return await queue.ask(place, command, {"job_id": self.job_id, "at": at, **body}, timeout=timeout)

    # -- reading

    def _asked(self) -> "tuple[JobQueue, Watch]":
        if self._queue is None or self._watch is None:
            raise RuntimeError("this handle belongs to no queue")
        return self._queue, self._watch

    def _place(self) -> Place | None:
        if self.position is None or self._queue is None:
            return None
        source = source_of_topic(self._queue.app_id, self.position.topic)
        return Place(source, self.position.partition)

    async def _follow(self) -> list[Place]:
        queue, _ = self._asked()
        place = self._place()
        places = await queue.places_of_jobs() if place is None else [place]
        since_ms = max(self._asked_ms - CLOCK_SKEW_MS, FROM_THE_BEGINNING)
        await queue.follower.follow(places, since_ms, anew=self._late)
        self._late = False
        return places

    def _current(self, watch: Watch) -> StateRecord | None:
        """What is known of this request, and not of an equal one that had finished before."""
        record = watch.newest()
        if record is None or not self._unique:
            return record
        at, position = record.document.get("at"), self.position
        if position is None or at is None or tuple(at) == tuple(position):
            return record
        finished_ms = record.document.get("finished_ms")
        return None if finished_ms is not None and finished_ms < self._asked_ms else record

    async def _finished(self, watch: Watch) -> StateRecord:
        while True:
            record = self._current(watch)
            if record is not None and JobState(record.document["state"]).finished:
                return record
            await watch.change()

    async def _look_back(self, places: list[Place]) -> None:
        """A request a worker has read and said nothing of was for a job that had finished before."""
        queue, watch = self._asked()
        while self._current(watch) is None:
            await asyncio.sleep(LOOK_BACK_SECONDS)
            if self._current(watch) is None and await self._was_read():
                await queue.follower.follow(places, FROM_THE_BEGINNING, anew=True)
                return

    async def _was_read(self) -> bool:
        queue, _ = self._asked()
        return self.position is not None and await queue.was_read(self.position)
