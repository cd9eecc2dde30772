"""Ending what a partition has of a cancelled workflow: jobs that wait, are parked, and run."""

import asyncio
from typing import Final

from consumers.engine.admission import unfinished_job
from consumers.engine.asked import Asked
from consumers.engine.partition import Partition
from consumers.engine.statedb import RECORD
from consumers.workflows.cancelled import belongs_to
from schemas.command import Command
from schemas.workflow import WorkflowCancelled

AT_ONCE: Final = 2_000


async def end_steps(partition: Partition, cancelled: WorkflowCancelled) -> None:
    """Cancel every job of the workflow this partition knows. Looks at all its parked jobs."""
    root, ended = cancelled.root, set[str]()
    for id in [job.id for job in partition.in_flight.values() if belongs_to(job) == root]:
        await _cancel(partition, id, cancelled)
        ended.add(id)
    start, end, db = RECORD, None, partition.retry.db
    while db is not None and start != end and not partition.lost:
        end, found = start, []
        for key, value in db.records(start, AT_ONCE):
            start = RECORD + key + b"\0"
            record = unfinished_job(key, value)
            if (
                record is not None
                and record.document.get("root") == root
                and not _is_callback(record.document)
            ):
                found.append(key.decode())
        for id in found:
            if id != root and id not in ended:
                await _cancel(partition, id, cancelled)
        await asyncio.sleep(0)


async def _cancel(partition: Partition, id: str, cancelled: WorkflowCancelled) -> None:
    body = {"job_id": id, "reason": cancelled.reason}
    await partition.desk.handlers[Command.CANCEL](Asked(Command.CANCEL, cancelled.command_id, id, body))


def _is_callback(document: dict[str, object]) -> bool:
    return str(document.get("step") or "").rpartition(".")[2].startswith("on_")
