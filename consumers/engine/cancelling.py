"""Cancelling a job, wherever it is.

Waiting and parked ones are cancelled at once. A running one is told to end, and that it was is remembered
first: a worker that dies before it ended must not run it again. One that was not read yet is recorded as
cancelled at its place in the log, so that it is known when it comes.
"""

from typing import Any

from consumers.engine.asked import Asked
from consumers.engine.commands import place_in
from consumers.engine.group import TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.parking import Parking
from consumers.engine.reader import Reader
from consumers.engine.standing import Standing, said
from consumers.outcomes import Cancelled
from schemas.command import Answer
from schemas.job import MAX_JOB_ID_CHARACTERS, JobState
from schemas.state import Position, is_reserved

REASON_LIMIT_CHARACTERS = 500


class Cancelling:
    """Does `cancel` for the jobs of one partition."""

    def __init__(self, *, standing: Standing, parking: Parking, reader: Reader) -> None:
        self._standing = standing
        self._partition = standing.partition
        self._parking = parking
        self._reader = reader

    async def do(self, asked: Asked) -> dict[str, Any]:
        """Cancel the job; says what it came to."""
        id, reason = asked.about, _reason(asked)
        while (job := await self._standing.in_flight(id)) is not None:
            if job.runner is None:
                _mark(job, asked.id, reason)
                self._partition.cancel_waiting(job, reason)
                return said(Answer.CANCELLED, JobState.CANCELLED)
            if await self._stop(job, asked.id, reason):
                return said(Answer.CANCELLING, JobState.RUNNING)
        record = self._standing.stored(id)
        if record is None:
            return self._cancel_unseen(asked, reason)
        state = JobState(record.document["state"])
        if not state.finished:
            self._settle(self._parking.recall(id, record), asked.id, reason)
            return said(Answer.CANCELLED, JobState.CANCELLED)
        if record.document.get("cancelled_by") == asked.id:  # and a crash came before the answer
            return said(Answer.CANCELLED, state)
        return said(Answer.ALREADY_FINISHED, state)

    async def _stop(self, job: Job, command_id: str, reason: str) -> bool:
        """Tell a running job to end; false when it ended before it could be told."""
        if job.cancel_reason is None:
            _mark(job, command_id, reason)
        try:
            await self._partition.settlement.remember([job])
        except TooLargeToKeep:
            pass  # then a crash right now would run it once more
        if job.settling or job.runner is None:
            return False
        self._partition.stop(job)
        return True

    def _settle(self, job: Job, command_id: str, reason: str) -> None:
        _mark(job, command_id, reason)
        job.partition = self._partition
        self._partition.in_flight[job.id] = job
        self._partition.settle(job, Cancelled(reason))

    def _cancel_unseen(self, asked: Asked, reason: str) -> dict[str, Any]:
        at = place_in(asked.body)
        key = asked.about.encode()
        if (
            at is None
            or not self._is_to_come(at)
            or len(asked.about) > MAX_JOB_ID_CHARACTERS
            or is_reserved(key)
        ):
            return said(Answer.UNKNOWN_JOB)
        job = self._reader.unseen_job(asked.about, str(asked.body.get("task") or ""), at)
        self._settle(job, asked.id, reason)
        return said(Answer.CANCELLED, JobState.CANCELLED)

    def _is_to_come(self, at: Position) -> bool:
        """Whether a place in the log is one of ours, and nobody read it yet."""
        tracker = self._partition.trackers.get(at.topic)
        if tracker is None or at.partition != self._partition.number:
            return False
        return tracker.next is None or at.offset >= tracker.next


def _mark(job: Job, command_id: str, reason: str) -> None:
    job.cancel_reason, job.cancelled_by = reason, command_id


def _reason(asked: Asked) -> str:
    reason = asked.body.get("reason")
    return str(reason)[:REASON_LIMIT_CHARACTERS] if reason else "asked to"
