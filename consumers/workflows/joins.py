"""The workflows that live on a partition: they are begun here, and here their groups meet again.

One loop for each partition, so what belongs to a join happens in order. A record is acknowledged once what it
led to is durable: a redelivery finds its member counted, and asks for the same jobs by the same ids.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from consumers.engine.decisions import KNOWN
from consumers.engine.job import Job
from consumers.engine.partition import Partition
from consumers.engine.reader import Reader
from consumers.engine.sending import Sending
from consumers.engine.statedb import Change, StateDb
from consumers.engine.statelog import StateLogClosed
from consumers.errors import OutputFailed
from consumers.workflows import join as joins
from consumers.workflows.actions import Action, Ask, Ended, Open
from consumers.workflows.algebra import Place, begin, begin_member, broken, proceed
from consumers.workflows.cancelled import forgotten, remembered, restored
from consumers.workflows.ending import end_steps
from consumers.workflows.join import Join
from consumers.workflows.outgoing import Trace, output_of, trace_of
from consumers.workflows.standing import gives_way, under_way
from consumers.workflows.sweeping import forget_joins
from events import codec
from events.workflow_requests import step_event
from schemas.job import JobRequested, JobState
from schemas.state import RawRecord, decode_state
from schemas.workflow import StepEnded, WorkflowCancelled

log = structlog.get_logger()
AT_ONCE: Final = 1_000
SWEEP_SECONDS: Final = 30.0


class Joins:
    """What happens to the workflows of one partition."""

    def __init__(
        self,
        *,
        partition: Partition,
        reader: Reader,
        sending: Sending,
        writer: int,
        app_id: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._partition = partition
        self._reader = reader
        self._sending = sending
        self._writer = writer
        self._app_id = app_id
        self._now_ms = now_ms
        self._waiting: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._known: dict[str, Join] = {}

    def take(self, job: Job) -> None:
        """A record that begins a workflow, or tells that a member of a group ended."""
        self._waiting.append(job)
        self._wake.set()

    async def run(self) -> None:
        """Do what comes in for as long as the partition is ours, and forget what is over."""
        try:
            while not self._partition.lost:
                try:
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    await forget_joins(self._partition, self._known, self._now_ms())
                    await self._forget_cancelled()
                    continue
                self._wake.clear()
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                    await self._do(batch)
        except StateLogClosed:
            pass

    async def _forget_cancelled(self) -> None:
        gone = forgotten(self._db, self._now_ms())
        if gone:
            await self._partition.settlement.keep(gone)
            self._partition.cancelled_roots = restored(self._db)

    async def _do(self, batch: list[Job]) -> None:
        changes: list[Change] = []
        touched: dict[str, Join] = {}
        asked: list[tuple[Ask, Trace]] = []
        of: list[tuple[Job, Join | None]] = []
        cancelled: list[tuple[Job, WorkflowCancelled]] = []
        for job in batch:
            if isinstance(job.flow, WorkflowCancelled):
                cancelled.append((job, job.flow))
                changes.append(self._cancelled(job.flow))
            elif isinstance(job.flow, StepEnded):
                of.append((job, self._ended(job.flow, changes, touched)))
            else:
                of.append((job, self._begin(job, changes, touched, asked)))
        changes += [join.head(self._writer) for join in touched.values()]
        if changes:
            await self._partition.settlement.keep(changes)
        await self._ask(asked)
        for job, join in of:
            if join is not None and join.complete and touched.pop(join.id, None) is not None:
                await self._follow(job, join)
            else:
                self._partition.settle(job, KNOWN)
        for job, flow in cancelled:
            await end_steps(self._partition, flow)
            self._partition.settle(job, KNOWN)

    def _cancelled(self, cancelled: WorkflowCancelled) -> Change:
        self._partition.cancelled_roots[cancelled.root] = cancelled.reason
        return remembered(cancelled, self._writer, self._now_ms())

    def restore(self) -> None:
        """Know again which workflows were cancelled; before the first job is admitted."""
        self._partition.cancelled_roots |= restored(self._db)

    # -- a member ended

    def _ended(self, ended: StepEnded, changes: list[Change], touched: dict[str, Join]) -> Join | None:
        join = self._find(ended.join)
        if join is None:
            return None  # over and forgotten
        if join.take(ended.n, well=ended.state is JobState.COMPLETED):
            changes.append(join.member(ended, self._writer))
            touched[join.id] = join
        elif join.complete:
            touched[join.id] = join  # its follower may not be durable
        return join

    def _find(self, id: str) -> Join | None:
        if id not in self._known:
            join = joins.load(self._db, id)
            if join is None:
                return None
            self._known[id] = join
        return self._known[id]

    @property
    def _db(self) -> StateDb:
        db = self._partition.retry.db
        assert db is not None
        return db

    # -- a workflow, or a group in one, begins

    def _begin(
        self, job: Job, changes: list[Change], touched: dict[str, Join], asked: list[tuple[Ask, Trace]]
    ) -> Join | None:
        request = job.flow
        assert isinstance(request, JobRequested)
        assert request.workflow is not None
        if self._is_over(request.job_id):
            return None
        node, path = request.workflow["node"], request.workflow["path"]
        root, now_ms = request.root or request.job_id, self._now_ms()
        if root in self._partition.cancelled_roots:
            return None
        if request.job_id == root and not path and not self._stands(job, request, changes):
            return None
        place = Place(root, request.workflow["id"], path, request.parent, now_ms)
        todo: deque[Action] = deque([begin(node, place, request.input, list(request.then or ()))])
        opened: Join | None = None
        trace = trace_of(job.event)
        while todo:
            action = todo.popleft()
            if isinstance(action, Ask):
                asked.append((action, trace))
            elif isinstance(action, Open):
                join = self._open(action, root, changes, touched)
                opened = opened or (join if join.complete else None)
                for n in range(len(action.members)):
                    number = self._partition.number
                    todo.append(
                        begin_member(action, n, partition=number, parent=request.parent, now_ms=now_ms)
                    )
        return opened

    def _stands(self, job: Job, request: JobRequested, changes: list[Change]) -> bool:
        """Make the workflow known; false when it is already, from another request."""
        value = self._db.get([request.job_id.encode()])[0]
        if value is None:
            changes.append(under_way(job, request, self._writer))
            return True
        record = decode_state(value)
        return gives_way(record) and tuple(record.document["at"]) == tuple(job.position)

    def _open(self, action: Open, root: str, changes: list[Change], touched: dict[str, Join]) -> Join:
        join = self._find(action.join)
        if join is None:
            total, follow = len(action.members), action.follow
            join = Join(action.join, root, total, follow.job_id, self._now_ms())
            self._known[join.id] = join
            changes.append(join.follow(follow, self._writer))
            touched[join.id] = join
        elif join.complete:
            touched[join.id] = join
        return join

    def _is_over(self, id: str) -> bool:
        """Whether the job a request leads to is finished: then it is a repeat."""
        ledger = self._partition.ledger.db
        value = ledger.get([id.encode()])[0] if ledger is not None else None
        if value is None:
            return False
        record = decode_state(value)
        return record.document.get("broken") is None and not 0 < record.expires_ms <= self._now_ms()

    async def _ask(self, asked: list[tuple[Ask, Trace]]) -> None:
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            await asyncio.gather(*[self._ask_one(action, trace) for action, trace in some])

    async def _ask_one(self, action: Ask, trace: Trace) -> None:
        """Ask for a step. One that is refused has failed, which its workflow is told."""
        try:
            await self._sending.send([output_of(action, self._app_id, trace)])
        except OutputFailed as failed:
            request = action.request
            error = {"type": type(failed).__name__, "message": str(failed)}
            ended = Ended(request.job_id, request.task, request.step, JobState.FAILED, error=error)
            root = request.root or request.job_id
            follows = proceed(request.then or [], ended, root=root, now_ms=self._now_ms())
            log.error("step_refused", job_id=request.job_id, task=request.task, error=str(failed))
            await self._sending.send([output_of(each, self._app_id, trace) for each in follows])

    # -- all have ended

    async def _follow(self, job: Job, join: Join) -> None:
        """Admit the job that follows a join, in place of the record that completed it."""
        request = joins.follow_of(self._db, join.id)
        if join.failed:
            request = broken(request, _failure(self._db, join))
        value, headers = codec.encode(step_event(self._app_id, request, trace=trace_of(job.event)))
        raw = RawRecord(request.job_id.encode(), value, tuple(headers), job.raw.timestamp_ms)
        (read,) = self._reader.read(raw, job.position)
        read.job.held, job.held = job.held, None
        self._partition.settle(job, KNOWN)
        new = self._partition.admit([read])
        await self._partition.start(new)


def _failure(db: StateDb, join: Join) -> Ended:
    """How a group ended whose members did not all end well: as the first of them in its order."""
    first = next(each for each in joins.members(db, join.id) if each["ended"] != JobState.COMPLETED)
    cause = first.get("error", {}) | {"failed": join.failed, "of": join.total}
    states = {each["ended"] for each in joins.members(db, join.id)} - {JobState.COMPLETED.value}
    state = JobState.CANCELLED if states == {JobState.CANCELLED.value} else JobState.FAILED
    return Ended(first["job_id"], first["task"], first.get("step"), state, cause=cause)
