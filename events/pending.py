"""Direct enqueues no worker is done with: what is in the jobs topics above the group's committed offsets.

Some of them may be running since a moment ago, or have just ended: what the state topics say is newer.
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from events import codec
from events.connecting import admin_of, entered
from events.errors import BrokerDown, Undecodable
from events.log_reader import LogReader, LogRecord
from events.settings import ClientSettings
from events.state_view import JobView
from events.topics import JOBS, jobs_source
from schemas.job import JOB_REQUESTED, JobRequested, JobState


async def pending_jobs(reader: LogReader, settings: ClientSettings) -> list[JobView]:
    """The jobs asked for and not settled, oldest first within a partition. Raises BrokerDown."""
    topics, done = await reader.topics(), await committed_offsets(settings)
    found = []
    for topic in jobs_source(settings.app_id).topics:
        for number in range(topics.get(topic, 0)):
            start = done.get(TopicPartition(topic, number))
            async for record in reader.read_partition(topic, number, start):
                view = pending_view(record)
                if view is not None:
                    found.append(view)
    return found


async def committed_offsets(settings: ClientSettings) -> dict[TopicPartition, int]:
    """Up to where the workers are done, by input partition. Raises BrokerDown."""
    try:
        async with entered(admin_of(settings, "committed")) as admin:
            offsets = await admin.list_consumer_group_offsets(settings.app_id)
    except KafkaError as error:
        raise BrokerDown(
            f"Kafka at {settings.bootstrap_servers} does not say how far work is: {error!r}"
        ) from error
    return {place: each.offset for place, each in offsets.items() if each.offset >= 0}


def pending_view(record: LogRecord) -> JobView | None:
    """The job a record of a jobs topic asks for; None when it asks for none."""
    place: dict[str, Any] = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    try:
        event = codec.decode(
            key=record.key, value=record.value, headers=record.headers, default_type=None, **place
        )
        if event.type != JOB_REQUESTED:
            return None
        request = JobRequested.model_validate_json(event.raw_data or b"null")
    except (Undecodable, ValueError):
        return None  # workers set it aside
    document = {
        "state": JobState.PENDING.value,
        "task": request.task,
        "attempt": 0,
        "at": [record.topic, record.partition, record.offset],
        "enqueued_ms": record.timestamp,
    }
    return JobView(
        job_id=request.job_id,
        source=JOBS,
        partition=record.partition,
        state=JobState.PENDING,
        task=request.task,
        attempt=0,
        due_ms=request.not_before_ms or 0,
        expires_ms=0,
        revision=0,
        document=document,
    )
