"""The one writer of a partition's state: makes outcomes durable in groups, like the log of a database.

While one group waits for the broker the next one gathers. For each: outputs of completed jobs, then phase 1
(parked records, dead letters), phase 2 (ledger), tombstones, RocksDB, and only then the ack. A kill between
any two of them repeats work at most; `ARCHITECTURE.md` has the table.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from consumers.engine.announcements import is_reported, reports_of
from consumers.engine.decisions import Decision, Rerouted
from consumers.engine.fault_points import reached
from consumers.engine.group import Group, Planner, Settled, TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.outbox import Outbox
from consumers.engine.quick import new_tuple
from consumers.engine.sending import Sending
from consumers.engine.statedb import Change
from consumers.engine.statelog import StateLog, StateLogClosed
from consumers.errors import OutputFailed
from consumers.failures import failure_of
from consumers.outcomes import Completed, DeadLettered
from consumers.outputs import Output
from consumers.workflows.following import Following, ends_badly
from schemas.deadletter import Reason
from schemas.job import JobState

log = structlog.get_logger()
ENOUGH: Final = 256  # jobs in a group; more make it no cheaper


class Settlement:
    """Settles the jobs of one partition. `acked` is called with every settled job once all is durable."""

    def __init__(
        self,
        *,
        planner: Planner,
        retry: StateLog,
        ledger: StateLog,
        letters_topic: str,
        outbox: Outbox,
        sending: Sending,
        may_write: Callable[[], Awaitable[None]],
        now_ms: Callable[[], int],
        decide: Callable[[Job, BaseException], Decision],
        acked: Callable[[list[Settled]], None],
        parked: Callable[[], None],
        counted: Callable[[JobState | None, JobState | None], None],
        settled_in: Callable[[float], None],
        app_id: str,
        gather_seconds: float,
        following: Following | None = None,
    ) -> None:
        self._planner = planner
        self._retry = retry
        self._ledger = ledger
        self._letters_topic = letters_topic
        self._outbox = outbox
        self._sending = sending
        self._may_write = may_write
        self._now_ms = now_ms
        self._decide = decide
        self._acked = acked
        self._parked = parked
        self._counted = counted
        self._settled_in = settled_in
        self._app_id = app_id
        self._following = following
        self.writing = asyncio.Lock()  # whoever holds it finds in the store what stands in the logs
        self._settled: list[Settled] = []
        self._running: list[tuple[Job, asyncio.Future[None]]] = []
        self._leftovers: list[Change] = []
        self._kept: list[tuple[list[Change], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._began = 0.0
        self._gather_seconds = gather_seconds
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(self, job: Job, decision: Decision) -> None:
        """Settle a job with the next group."""
        job.settling = True
        self._settled.append(new_tuple(Settled, (job, decision)))
        self._idle.clear()
        self._wake.set()

    async def remember(self, jobs: list[Job]) -> None:
        """Return when it is durable that the current attempts of these jobs run.

        Raises `StateLogClosed` when the partition went to another worker meanwhile, `TooLargeToKeep` when one
        of them cannot be remembered; the others are.
        """
        if not jobs:
            return
        futures = [asyncio.get_running_loop().create_future() for _ in jobs]
        self._running.extend(zip(jobs, futures, strict=True))
        self._idle.clear()
        self._wake.set()
        self._hurry.set()
        await asyncio.gather(*futures)

    async def keep(self, changes: list[Change]) -> None:
        """Write records of the retry topic that are no jobs, all in one batch; return when they are durable.

        Raises `StateLogClosed` when the partition went to another worker meanwhile.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._kept.append((changes, future))
        self._idle.clear()
        self._wake.set()
        self._hurry.set()
        await future

    def forget(self, leftover: Change) -> None:
        """Remove a retry record whose job the ledger already calls finished: a kill left it behind."""
        self._leftovers.append(leftover)
        self._idle.clear()
        self._wake.set()

    async def idle(self) -> None:
        """Return when nothing waits to be settled."""
        await self._idle.wait()

    async def run(self) -> None:
        """Settle until the partition is given away."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._settled or self._running or self._leftovers or self._kept:
                    await self._gather()
                    async with self.writing:
                        await self._commit()
                self._idle.set()
        except StateLogClosed:
            pass
        finally:
            self._abandon()

    async def _gather(self) -> None:
        """When groups follow close on each other, let more jobs join the next one: a group costs as much as
        several jobs. Whoever waits in `remember` cuts it short."""
        left = self._began + self._gather_seconds - time.monotonic()
        if left > 0 and not self._running and not self._kept and len(self._settled) < ENOUGH:
            self._hurry.clear()
            try:
                async with asyncio.timeout(left):
                    await self._hurry.wait()
            except TimeoutError:
                pass
        self._began = time.monotonic()

    def _abandon(self) -> None:
        for _, future in (*self._running, *self._kept):
            if not future.done():
                future.set_exception(StateLogClosed(self._retry.topic, self._retry.partition))
        self._running.clear()
        self._kept.clear()
        self._idle.set()

    async def _commit(self) -> None:
        settled, self._settled = self._settled, []
        running, self._running = self._running, []
        leftovers, self._leftovers = self._leftovers, []
        kept, self._kept = self._kept, []
        began = time.monotonic()
        try:
            await self._may_write()
            reached("handler_returned", settled)
            settled = await self._send_outputs(settled)
            now_ms = self._now_ms()
            group = self._planner.plan(settled, now_ms)
            too_large = self._plan_running(group, running, now_ms)
            group.tombstones.extend(leftovers)
            for changes, _ in kept:
                group.parked.extend(changes)
            await self._write(group, settled)
            for was, now in group.moved:
                self._counted(was, now)
        except BaseException:
            self._running.extend(running)
            self._kept.extend(kept)
            raise
        for job, future in running:
            if future.done():
                continue
            if job in too_large:
                future.set_exception(too_large[job])
            else:
                future.set_result(None)
        for _, future in kept:
            if not future.done():
                future.set_result(None)
        self._acked(settled)
        reached("acked", settled)
        if group.parked:
            self._parked()
        self._settled_in(time.monotonic() - began)

    def _plan_running(
        self, group: Group, running: list[tuple[Job, asyncio.Future[None]]], now_ms: int
    ) -> dict[Job, TooLargeToKeep]:
        """Add the records of attempts to be remembered; returns those that cannot be."""
        too_large = {}
        for job, _ in running:
            # That an attempt runs is no news once it has ended, and would stand above its end.
            if not job.settling:
                try:
                    self._planner.plan_running(group, job, now_ms)
                except TooLargeToKeep as error:
                    too_large[job] = error
        return too_large

    async def _send_outputs(self, settled: list[Settled]) -> list[Settled]:
        """Publish what completed jobs want published; a refusal is a failed attempt of that job alone."""
        senders = [
            (index, asyncio.ensure_future(self._send(job, decision)))
            for index, (job, decision) in enumerate(settled)
            if (job.outputs or job.then) and _sends(decision)
        ]
        for index, sender in senders:
            job, decision = settled[index]
            try:
                await sender
            except OutputFailed as error:
                settled[index] = Settled(job, self._refused(job, decision, error))
        return settled

    async def _send(self, job: Job, decision: Decision) -> None:
        await self._sending.send([*(job.outputs or ()), *self._follows(job, decision)])

    def _follows(self, job: Job, decision: Decision) -> list[Output]:
        return [] if self._following is None else self._following.outputs(job, decision)

    async def _go_on(self, job: Job, decision: Decision) -> None:
        """Tell its workflow that a job did not end well. Small records, so a refusal is a fault of Kafka's
        configuration."""
        try:
            await self._sending.send(self._follows(job, decision))
        except OutputFailed as error:
            log.error("workflow_stuck", job_id=job.id, task=job.task_name, error=str(error))

    def _refused(self, job: Job, decision: Decision, error: OutputFailed) -> Decision:
        if isinstance(decision, Rerouted):  # no attempt was made, and another request would be refused again
            return DeadLettered(Reason.FAILED, failure_of(error))
        return self._decide(job, error)

    async def _write(self, group: Group, settled: list[Settled]) -> None:
        retry_offset = await self._phase_one(group, settled)
        reached("phase_one", settled)
        ledger_offset = -1
        if group.ledger:
            ledger_offset = await self._ledger.append(group.ledger)
        reached("phase_two", settled)
        if group.tombstones:
            retry_offset = await self._retry.append(group.tombstones)
        now_ms = self._now_ms()
        if retry_offset >= 0:
            self._retry.apply([*group.parked, *group.tombstones], offset=retry_offset, now_ms=now_ms)
        if ledger_offset >= 0:
            self._ledger.apply(group.ledger, offset=ledger_offset, now_ms=now_ms)
        reached("stored", settled)

    async def _phase_one(self, group: Group, settled: list[Settled]) -> int:
        """Parked records, dead letters and what reports them; returns the retry topic's last offset or -1."""
        waits: list[Awaitable[Any]] = []
        if group.letters:
            waits.append(self._outbox.send_letters(self._letters_topic, self._retry.partition, group.letters))
        waits += [self._report(job, decision) for job, decision in settled if is_reported(job, decision)]
        waits += [
            self._go_on(job, decision)
            for job, decision in settled
            if (job.then or job.is_workflow) and ends_badly(decision)
        ]
        if group.parked:
            waits.append(self._retry.append(group.parked))
        if not waits:
            return -1
        done = await asyncio.gather(*waits)
        return int(done[-1]) if group.parked else -1

    async def _report(self, job: Job, decision: Decision) -> None:
        """Tell others how a job ended, as its task asked for. A report that is refused does not undo the
        end."""
        for record in reports_of(job, decision, self._app_id):
            try:
                await self._outbox.send(*record)
            except OutputFailed as error:
                log.error("report_refused", job_id=job.id, task=job.task_name, error=str(error))


def _sends(decision: Decision) -> bool:
    return isinstance(decision, (Completed, Rerouted))
