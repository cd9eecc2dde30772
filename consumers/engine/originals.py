"""The record that once asked for a job, read from Kafka again: from its place, or from its dead letter."""

import structlog

from consumers.settings import WorkerSettings
from events.dead_letters import letter_of
from events.errors import EventsError
from events.log_reader import LogReader
from events.topics import dlq_topic
from schemas.deadletter import DeadLetterHeader
from schemas.state import Position, RawRecord

log = structlog.get_logger()
READ_SECONDS = 10.0


async def find_original(
    settings: WorkerSettings, source: str, partition: int, job_id: str, at: Position
) -> RawRecord | None:
    """The raw record of a job whose request was at `at`; None when it is neither there nor in a letter."""
    try:
        async with LogReader(settings, timeout_seconds=READ_SECONDS) as reader:
            record = await reader.record_at(*at) if at.offset >= 0 else None
            if record is not None:
                return RawRecord(record.key, record.value, tuple(record.headers), record.timestamp)
            return await _from_letter(reader, dlq_topic(settings.app_id, source), partition, job_id)
    except EventsError as error:
        log.warning("original_not_read", job_id=job_id, error=str(error))
        return None


async def _from_letter(reader: LogReader, topic: str, partition: int, job_id: str) -> RawRecord | None:
    found = None
    async for record in reader.read_partition(topic, partition):
        letter = letter_of(record, topic)
        if letter.job_id == job_id:
            text = letter.fact(DeadLetterHeader.ORIGIN_TIMESTAMP)
            timestamp_ms = int(text) if text.isascii() and text.isdigit() else record.timestamp
            found = RawRecord(letter.key, letter.value, tuple(letter.original_headers), timestamp_ms)
    return found
