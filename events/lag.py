"""How far behind the group is, asked of the broker alone: true when every worker is dead.

Records: end of the log minus what is committed. Seconds: now minus the log's timestamp of the first record
not committed, 0 when none waits; event times of long ago do not matter.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from events.connecting import admin_of, entered, reading
from events.errors import BrokerUnreachable, UnknownTopic
from events.settings import ClientSettings
from events.times import now_ms
from events.topics import JOBS, jobs_source, ledger_topic, state_topics

RECORD_SECONDS: Final = 5.0
RECORD_BYTES: Final = 65_536  # one record of each partition is enough

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True, order=True)
class PartitionLag:
    """One partition. `committed` is None before the first commit, `lag_seconds` when no record was found."""

    topic: str
    partition: int
    end: int
    committed: int | None
    lag_records: int
    lag_seconds: float | None

    def document(self) -> dict[str, Any]:
        return asdict(self)


async def read_lag(
    settings: ClientSettings,
    *,
    topics: Collection[str] = (),
    timeout_seconds: float = 30.0,
    record_seconds: float = RECORD_SECONDS,
    now_ms: Callable[[], int] = now_ms,
) -> list[PartitionLag]:
    """The lag of the group of `settings.app_id`, by topic and partition; only reads, joins no group.

    Without `topics`: every topic the group ever committed and every source that has a ledger. For the first
    records, which tell the seconds, it waits no longer than `record_seconds`.
    Raises BrokerUnreachable, UnknownTopic.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _read(settings, topics, record_seconds, now_ms)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerUnreachable(
            f"no answer about lag from Kafka at {settings.bootstrap_servers} ({error!r}): "
            "is it up, and is HEADRACE_BOOTSTRAP_SERVERS its address?"
        ) from error


async def _read(
    settings: ClientSettings, topics: Collection[str], record_seconds: float, now_ms: Callable[[], int]
) -> list[PartitionLag]:
    # Committed first: the log only grows, so no end is below its committed offset.
    committed, partitions = await _partitions(settings, topics)
    if not partitions:
        return []
    async with reading(settings, "lag", max_partition_fetch_bytes=RECORD_BYTES) as consumer:
        consumer.assign(partitions)
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        waiting = {tp: at for tp in partitions if (at := max(committed.get(tp, 0), first[tp])) < end[tp]}
        stamps = await _timestamps(consumer, waiting, record_seconds)
    return sorted(_lag(tp, end[tp], committed.get(tp), waiting, stamps, now_ms()) for tp in partitions)


def _lag(
    tp: TopicPartition, end: int, committed: int | None, waiting: Offsets, stamps: Offsets, now_ms: int
) -> PartitionLag:
    seconds: float | None = 0.0
    if tp in waiting:
        seconds = round(max(now_ms - stamps[tp], 0) / 1000, 3) if tp in stamps else None
    records = end - waiting[tp] if tp in waiting else 0
    return PartitionLag(tp.topic, tp.partition, end, committed, records, seconds)


def sources(app_id: str, existing: Iterable[str], committed: Iterable[str]) -> set[str]:
    """The input topics of an app among all topics of the cluster: committed ones, and those with a ledger."""
    existing = set(existing)
    found = {topic for topic in existing if ledger_topic(app_id, topic) in existing}.union(committed)
    if ledger_topic(app_id, JOBS) in existing:
        found.update(jobs_source(app_id).topics)
    state = {topic for name in (*found, JOBS) for topic in state_topics(app_id, name)}
    return (found & existing) - state


async def _partitions(
    settings: ClientSettings, topics: Collection[str]
) -> tuple[dict[TopicPartition, int], list[TopicPartition]]:
    """What the group committed, and every partition to look at."""
    async with entered(admin_of(settings, "lag")) as admin:
        committed = await _committed(admin, settings.app_id)
        existing = set(await admin.list_topics())
        wanted = set(topics) or sources(settings.app_id, existing, {tp.topic for tp in committed})
        if missing := wanted - existing:
            raise UnknownTopic(f"no topic {', '.join(sorted(missing))} to read lag of: is the name right?")
        described = await admin.describe_topics(sorted(wanted)) if wanted else []
    found = [
        TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]
    ]
    return committed, found


async def _committed(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    while True:
        try:
            offsets = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            # A cluster that never had a group makes its offsets topic now.
            await asyncio.sleep(0.2)
            continue
        return {tp: known.offset for tp, known in offsets.items() if known.offset >= 0}


async def _timestamps(
    consumer: AIOKafkaConsumer, waiting: Offsets, seconds: float
) -> dict[TopicPartition, int]:
    """The timestamp of the first record at or after each offset; none where no record comes in time."""
    done = [tp for tp in consumer.assignment() if tp not in waiting]
    consumer.pause(*done)
    for tp, offset in waiting.items():
        consumer.seek(tp, offset)
    stamps: dict[TopicPartition, int] = {}
    give_up = time.monotonic() + seconds
    while len(stamps) < len(waiting) and time.monotonic() < give_up:
        for tp, records in (await consumer.getmany(timeout_ms=200)).items():
            if records and tp not in stamps:
                stamps[tp] = records[0].timestamp
                consumer.pause(tp)
    return stamps
