"""One partition of one source on the worker that owns it: what is in flight, in which lane, and the door of
admission.

Everything of a partition happens on one loop, so no locks; everything durable goes through its one
settlement.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from consumers.engine.admission import Judgement, judge
from consumers.engine.decisions import KNOWN, Decision, Parked, Rerouted
from consumers.engine.group import Settled, TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.lanes import Lanes
from consumers.engine.pacing import Pacing
from consumers.engine.reader import Read
from consumers.engine.settlement import Settlement
from consumers.engine.statelog import StateLog, StateLogClosed
from consumers.engine.suspicion import Suspicion
from consumers.outcomes import Cancelled, DeadLettered, Expired, Skipped
from consumers.workflows.cancelled import belongs_to
from schemas.job import JobState

if TYPE_CHECKING:
    from consumers.engine.desk import Desk
    from consumers.engine.runners import Runners
    from consumers.engine.tracker import Tracker
    from consumers.workflows.joins import Joins

log = structlog.get_logger()
_NOT_PARKED: Final = (None, JobState.RUNNING)


class Partition:
    """Owner of a partition from assignment to loss."""

    def __init__(
        self,
        *,
        source: str,
        number: int,
        retry: StateLog,
        ledger: StateLog,
        now_ms: Callable[[], int],
        runners: "Runners",
        report: Callable[[Job, Decision], None],
        abandoned: Callable[[Job], None],
        flush: Callable[[], None],
    ) -> None:
        self.source = source
        self.number = number
        self.retry = retry
        self.ledger = ledger
        self.trackers: dict[str, Tracker] = {}
        self.in_flight: dict[str, Job] = {}
        self.lanes = Lanes()
        self.settlement: Settlement  # set once, by the engine that wires both
        self.desk: Desk  # likewise
        self.joins: Joins  # likewise
        self.pacing = Pacing(now_ms=now_ms, push=runners.push, park=self._park)
        self.cancelled_roots: dict[str, str] = {}  # of workflows, and why
        self.suspicion = Suspicion.none()
        self.fenced = False
        self.active = False
        self.lost = False
        self._now_ms = now_ms
        self._runners = runners
        self._report = report
        self._abandoned = abandoned
        self._flush = flush

    # -- admission

    def admit(self, reads: Sequence[Read]) -> list[Job]:
        """Settle what is settled already; returns the new jobs, which `start` takes in this order."""
        ids = [read.job.id.encode() for read in reads]
        ledger = self.ledger.db.get(ids) if self.ledger.db else []
        retry = self.retry.db.get(ids) if self.retry.db else []
        now_ms = self._now_ms()
        new: list[Job] = []
        for (job, given), finished, parked in zip(reads, ledger, retry, strict=True):
            job.partition = self
            if job.flow is not None:
                self.joins.take(job)
                continue
            if not job.id:
                self.settle(job, given or KNOWN)
                continue
            twin = self.in_flight.get(job.id)
            if twin is not None:
                if job.unique and job.position != twin.position:
                    self.settle(job, Skipped())
                    continue
                if twin.waiting is None:
                    twin.waiting = []
                twin.waiting.append(job)
                continue
            if finished is not None or parked is not None:
                known = self._known(job, finished, parked, now_ms)
                if known is not None:
                    self.settle(job, known)
                    continue
            self.in_flight[job.id] = job
            decision = given or self._cancelled(job) or self._not_yet(job, now_ms)
            if decision is not None:
                self.settle(job, decision)
            else:
                new.append(job)
        return new

    def _known(self, job: Job, finished: bytes | None, parked: bytes | None, now_ms: int) -> Decision | None:
        judgement = judge(job, finished, parked, now_ms)
        if judgement is Judgement.SAME and job.held is not None:
            self.suspicion.met_own(job.position)
        match judgement:
            case Judgement.NEW:
                return None
            case Judgement.SAME:
                return KNOWN
            case Judgement.DUPLICATE:
                return Skipped()

    def _cancelled(self, job: Job) -> Decision | None:
        """The end of a job whose workflow was cancelled before it came."""
        if not self.cancelled_roots:
            return None
        reason = self.cancelled_roots.get(belongs_to(job) or "")
        if reason is None:
            return None
        job.cancel_reason = reason
        return Cancelled(reason)

    @staticmethod
    def _not_yet(job: Job, now_ms: int) -> Decision | None:
        if job.not_before_ms is not None and job.not_before_ms > now_ms and job.stored in _NOT_PARKED:
            return Parked(job.not_before_ms)
        return None

    async def start(self, jobs: Sequence[Job]) -> None:
        """Put new jobs into their lanes. After an unclean stop they are remembered first: one may be a
        killer."""
        risky = [job for job in jobs if self.suspicion.of(job)]
        if risky:
            try:
                await self.settlement.remember(risky)
            except StateLogClosed:
                return
            except TooLargeToKeep as error:
                log.warning("killer_would_not_be_known", source=self.source, error=str(error))
        if self.lost:
            return
        for job in jobs:
            if not job.settling and self.lanes.enter(job):  # it may have been cancelled meanwhile
                self._push(job)

    def _push(self, job: Job) -> None:
        """A job whose turn in its lane it is: it starts, unless its task has a rate that says later."""
        if job.task is None or job.task.settings.rate is None:
            self._runners.push(job)
        else:
            self.pacing.take(job, job.task.settings.rate)

    def _park(self, job: Job, decision: Parked) -> None:
        """Settle a job whose turn is not soon. Those behind it in its lane have theirs later still."""
        follower = self.lanes.leave(job)
        self.settle(job, decision)
        if follower is not None:
            asyncio.get_running_loop().call_soon(self._push, follower)

    # -- settlement

    def finished(self, job: Job, decision: Decision) -> None:
        """An attempt ended: its lane goes on at once, its outcome goes to be settled."""
        follower = self.lanes.leave(job)
        if follower is not None:
            self._push(follower)
        if self.lost:
            self._abandoned(job)
        else:
            self.settlement.submit(job, decision)

    def settle(self, job: Job, decision: Decision) -> None:
        """Settle a job no attempt was made for."""
        if isinstance(decision, DeadLettered | Expired | Cancelled):
            job.attempt -= 1
        if not self.lost:
            self.settlement.submit(job, decision)

    @staticmethod
    async def ended(job: Job) -> None:
        """Return when a job that is settling is settled."""
        if job.ended is None:
            job.ended = asyncio.Event()
        await job.ended.wait()

    def cancel_waiting(self, job: Job, reason: str) -> None:
        """Settle a job that is in flight and has not started: it is cancelled, its lane goes on."""
        follower = self.lanes.withdraw(job)
        if follower is not None:
            self._push(follower)
        self.settle(job, Cancelled(reason))

    def stop(self, job: Job) -> None:
        """End the attempt of a job that runs, for the reason noted on it."""
        self._runners.stop(job)

    def acked(self, settled: list[Settled]) -> None:
        """All of these are durable: let their offsets be committed and equal requests go on."""
        for job, decision in settled:
            self.release_offset(job)
            if job.id and self.in_flight.get(job.id) is job:
                del self.in_flight[job.id]
                if job.waiting:
                    self._go_on(job)
            if job.ended is not None:
                job.ended.set()
            if not isinstance(decision, Rerouted):
                self._report(job, decision)
        self._flush()

    def _go_on(self, job: Job) -> None:
        waiting, job.waiting = job.waiting or [], None
        for next_job in self.admit([Read(each) for each in waiting]):
            if self.lanes.enter(next_job):
                self._push(next_job)

    @staticmethod
    def release_offset(job: Job) -> None:
        if job.held is not None:
            tracker, offset = job.held
            job.held = None
            tracker.settle(offset)

    # -- the end

    def drop(self) -> None:
        """The partition went to another worker: nothing of it may be written here any more."""
        self.lost = True
        self.active = False
        self.retry.closed = self.ledger.closed = True
        for job in self.in_flight.values():
            job.interrupted = True
        self._runners.forget(self)
        self.in_flight.clear()
