"""Is this job known already? A pure judgement from what the two state tables say about its id."""

import enum
from typing import Any

from consumers.engine import history
from consumers.engine.job import Job
from schemas.job import JobState
from schemas.state import Position, StateRecord, decode_state, header_of


class Judgement(enum.Enum):
    """NEW: run it. SAME: the very record we see now was settled or parked. DUPLICATE: another record was."""

    NEW = enum.auto()
    SAME = enum.auto()
    DUPLICATE = enum.auto()


def newest(finished: bytes | None, parked: bytes | None, now_ms: int) -> bytes | None:
    """The record that holds: the higher revision, the ledger's when equal; expired ones are forgotten."""
    if finished is not None:
        _, expires_ms, _, revision = header_of(finished)
        if expires_ms and expires_ms <= now_ms:
            finished = None
        elif parked is None or revision >= header_of(parked)[3]:
            return finished
    return parked


def unfinished_job(id: bytes, value: bytes) -> StateRecord | None:
    """What a retry record says about its job; None for one no worker wrote."""
    try:
        id.decode()
        record = decode_state(value)
        document = record.document
        JobState(document["state"])
        Position(*document["at"])
        whole = isinstance(document["task"], str) and isinstance(document["attempt"], int)
    except (ValueError, KeyError, TypeError):
        return None
    return record if whole and record.raw is not None else None


def judge(job: Job, finished: bytes | None, parked: bytes | None, now_ms: int) -> Judgement:
    """Whether `job` is to run, given the values of its id in the ledger and in the retry table."""
    value = newest(finished, parked, now_ms)
    if value is None:
        return Judgement.NEW
    try:
        record = decode_state(value)
    except ValueError:
        return Judgement.NEW  # no worker wrote that
    if job.redrives is not None:
        return _judge_redrive(job, record)
    if value is parked and record.document.get("workflow") is True:
        job.stored, job.due_ms, job.revision = JobState.RUNNING, record.due_ms, record.revision
        return Judgement.NEW  # the last job of a workflow, which its record waited for
    if job.broken is None and value is finished and record.document.get("broken") is not None:
        job.revision = record.revision  # what it waited for failed, and went well when somebody sent it again
        return Judgement.NEW
    at = tuple(record.document.get("at", ()))
    if at == tuple(job.position):
        return Judgement.SAME
    if job.unique and value is finished:
        return _judge_again(job, record, at)
    return Judgement.DUPLICATE


def _judge_again(job: Job, record: StateRecord, at: tuple[Any, ...]) -> Judgement:
    """A unique job runs again once its equal has finished; unless it is an earlier one, delivered again."""
    topic, partition, offset = job.position
    if at[:2] == (topic, partition) and offset < at[2]:
        return Judgement.SAME
    job.revision = record.revision
    return Judgement.NEW


def _judge_redrive(job: Job, record: StateRecord) -> Judgement:
    """A redrive runs once: only while the job's newest record is the very one its dead letter came from."""
    if record.revision == job.redrives:
        job.revision = record.revision
        job.attempts = history.before(record.document)
        return Judgement.NEW
    return Judgement.SAME
