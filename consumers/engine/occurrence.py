"""The job of one time of a schedule: a request nobody published, parked until it starts."""

from typing import NamedTuple

import orjson

from consumers.engine.reader import Reader
from consumers.engine.records import Pen, unfinished
from consumers.scheduling.schedule import Schedule
from events.codec import encode
from events.queue_options import PRIORITIES, Priority
from events.topics import jobs_topic
from schemas.cloudevent import CloudEvent
from schemas.job import JOB_REQUESTED, JobRequested, JobState
from schemas.state import Position, RawRecord

NOWHERE = -1
"""The offset of a request that is in no topic."""


class Occurrence(NamedTuple):
    """One time of a schedule. The job starts at `due_ms`."""

    schedule: Schedule
    job_id: str
    scheduled_ms: int
    due_ms: int
    priority: Priority


def parked_record(
    occurrence: Occurrence, reader: Reader, pen: Pen, app_id: str, partition: int, *, now_ms: int
) -> bytes:
    """The record of the retry topic that makes it run."""
    schedule, id = occurrence.schedule, occurrence.job_id
    request = JobRequested(
        task=schedule.task,
        job_id=id,
        args=dict(schedule.args),
        schedule=schedule.name,
        scheduled_ms=occurrence.scheduled_ms,
    )
    event = CloudEvent(
        id=id,
        source=f"/headrace/{app_id}",
        type=JOB_REQUESTED,
        subject=schedule.task,
        raw_data=orjson.dumps(request.model_dump(exclude_defaults=True)),
    )
    value, headers = encode(event)
    priority: Priority = occurrence.priority if occurrence.priority in PRIORITIES else "normal"
    position = Position(jobs_topic(app_id, priority), partition, NOWHERE)
    (read,) = reader.read(RawRecord(id.encode(), value, tuple(headers), now_ms), position)
    job = read.job
    job.attempt = 0
    return unfinished(job, JobState.SCHEDULED, pen, due_ms=occurrence.due_ms)
