"""Which partitions the read model follows."""

from collections.abc import Mapping
from typing import Final

from events.queue_options import PRIORITIES
from events.state_view import sources_of
from events.status.partitions import Place
from events.status.store import Partition
from events.topics import (
    JOBS,
    Kind,
    dlq_topic,
    jobs_topic,
    ledger_topic,
    registry_topic,
    retry_topic,
    workers_topic,
)

FROM_THE_BEGINNING: Final = frozenset({Kind.REGISTRY, Kind.WORKERS})
"""Small topics, kept in memory and read anew at every start."""


def followed(app_id: str, topics: Mapping[str, int]) -> dict[Partition, Place]:
    """What every partition to follow belongs to. `topics` are those there are, with their sizes."""
    places: dict[str, Place] = {
        registry_topic(app_id): Place("", Kind.REGISTRY),
        workers_topic(app_id): Place("", Kind.WORKERS),
    }
    for priority in PRIORITIES:
        places[jobs_topic(app_id, priority)] = Place(JOBS, Kind.JOBS, priority)
    for source in sources_of(app_id, topics):
        places[retry_topic(app_id, source)] = Place(source, Kind.RETRY)
        places[ledger_topic(app_id, source)] = Place(source, Kind.LEDGER)
        places[dlq_topic(app_id, source)] = Place(source, Kind.DLQ)
    return {
        (topic, number): place for topic, place in places.items() for number in range(topics.get(topic, 0))
    }
