"""How a job of a partition stands, as its commands see it."""

from collections.abc import Callable
from typing import Any

from consumers.engine.admission import newest, unfinished_job
from consumers.engine.job import Job
from consumers.engine.partition import Partition
from schemas.command import Answer
from schemas.job import JobState
from schemas.state import StateRecord, decode_state


class Standing:
    """Looks up jobs of one partition, in flight and stored."""

    def __init__(self, *, partition: Partition, now_ms: Callable[[], int]) -> None:
        self.partition = partition
        self._now_ms = now_ms

    async def in_flight(self, id: str) -> Job | None:
        """The job while it waits or runs; one whose end is on the way is waited for first."""
        while (job := self.partition.in_flight.get(id)) is not None and job.settling:
            await self.partition.ended(job)
        return job

    def stored(self, id: str) -> StateRecord | None:
        """The newest record of a job that is not in flight; None when nothing is known of it."""
        ledger, retry = self.partition.ledger.db, self.partition.retry.db
        if ledger is None or retry is None:
            return None
        key = id.encode()
        finished, parked = ledger.get([key])[0], retry.get([key])[0]
        value = newest(finished, parked, self._now_ms())
        if value is None:
            return None
        if value is parked:
            return unfinished_job(key, value)
        try:
            record = decode_state(value)
            JobState(record.document["state"])
        except (ValueError, KeyError):
            return None  # no worker wrote that
        return record


def state_of(job: Job) -> JobState:
    """Of a job in flight whose end is not on the way."""
    return JobState.PENDING if job.runner is None else JobState.RUNNING


def said(answer: Answer, state: JobState | str | None = None, **more: Any) -> dict[str, Any]:
    """What became of a command, and the job's state now."""
    found: dict[str, Any] = {"answer": answer.value}
    if state is not None:
        found["job_state"] = str(state)
    return found | more
