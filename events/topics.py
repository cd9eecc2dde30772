"""Every topic there is: names, kinds, and how each kind is kept. No other file builds a topic name.

Source S of app A reads input topics and keeps four topics beside them, each with as many
partitions: `A.S.retry`, `A.S.ledger`, `A.S.dlq`, `A.S.commands`. The source `jobs` has three
inputs of ours. One registry, one topic of heartbeats and one of announcements serve the app.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from events.errors import TopicRefused
from events.queue_options import PRIORITIES, Priority

JOBS: Final = "jobs"

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS


class Kind(StrEnum):
    """What a topic is for."""

    INPUT = "input"
    JOBS = "jobs"
    RETRY = "retry"
    LEDGER = "ledger"
    DLQ = "dlq"
    COMMANDS = "commands"
    REGISTRY = "registry"
    WORKERS = "workers"
    ANNOUNCEMENTS = "announcements"


STATE_KINDS: Final = (Kind.RETRY, Kind.LEDGER, Kind.DLQ, Kind.COMMANDS)

# Records carry the event they are about plus what we say of it, and travel in batches: Kafka's
# default of 1 MiB for a batch would refuse what the input accepted.
ROOMY_BYTES: Final = 4 << 20
_ROOMY: Final = {"max.message.bytes": str(ROOMY_BYTES)}
# Kafka compacts closed segments only, and restoring reads everything not compacted.
_COMPACTED: Final = _ROOMY | {"segment.bytes": str(64 << 20)}
# A worker cut off from the group writes on until it notices. Readers tell its records by the
# fence before them, so neither may be compacted away before every reader has seen both.
_FENCED: Final = _COMPACTED | {"min.compaction.lag.ms": "600000"}


def _kept(seconds: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(seconds * 1000)}


CONFIGS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.INPUT: {},  # the publisher's
    Kind.JOBS: _ROOMY | _kept(7 * DAY_SECONDS),
    Kind.RETRY: _FENCED | {"cleanup.policy": "compact", "delete.retention.ms": str(DAY_SECONDS * 1000)},
    Kind.LEDGER: _FENCED | _kept(7 * DAY_SECONDS) | {"cleanup.policy": "compact,delete"},
    Kind.DLQ: _ROOMY | _kept(30 * DAY_SECONDS),
    Kind.COMMANDS: _ROOMY | _kept(7 * DAY_SECONDS),
    Kind.REGISTRY: _COMPACTED | {"cleanup.policy": "compact"},
    # Only closed segments are dropped.
    Kind.WORKERS: _kept(HOUR_SECONDS) | {"segment.ms": "600000"},
    Kind.ANNOUNCEMENTS: _ROOMY | _kept(7 * DAY_SECONDS),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Input topics that share a state set. `partitions` is wanted; topics that exist decide it."""

    name: str
    topics: tuple[str, ...]
    partitions: int | None = None
    longest_ttl_seconds: int = 7 * DAY_SECONDS

    @property
    def is_jobs(self) -> bool:
        """Whether it is the source of direct enqueues, whose input topics are ours."""
        return self.name == JOBS


@dataclass(frozen=True, kw_only=True)
class TopicSpec:
    """A topic as it should be."""

    name: str
    kind: Kind
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


class TopicSettings(Protocol):
    """The part of the settings that shapes topics. No replication factor means min(3, brokers)."""

    @property
    def default_partitions(self) -> int: ...
    @property
    def jobs_partitions(self) -> int: ...
    @property
    def replication_factor(self) -> int | None: ...


def jobs_topic(app_id: str, priority: Priority = "normal") -> str:
    """Input topic of direct enqueues of that priority."""
    return f"{app_id}.{JOBS}" if priority == "normal" else f"{app_id}.{JOBS}.{priority}"


def retry_topic(app_id: str, source: str) -> str:
    """Unfinished jobs of a source."""
    return f"{app_id}.{source}.{Kind.RETRY}"


def ledger_topic(app_id: str, source: str) -> str:
    """Finished jobs of a source."""
    return f"{app_id}.{source}.{Kind.LEDGER}"


def dlq_topic(app_id: str, source: str) -> str:
    """Dead letters of a source."""
    return f"{app_id}.{source}.{Kind.DLQ}"


def commands_topic(app_id: str, source: str) -> str:
    """Requests to the owner of a source's partition."""
    return f"{app_id}.{source}.{Kind.COMMANDS}"


def state_topics(app_id: str, source: str) -> tuple[str, ...]:
    """The four topics beside a source: retry, ledger, dead letters, commands."""
    return tuple(f"{app_id}.{source}.{kind}" for kind in STATE_KINDS)


def registry_topic(app_id: str) -> str:
    """Tasks, schemas and schedules as workers announce them."""
    return f"{app_id}.{Kind.REGISTRY}"


def workers_topic(app_id: str) -> str:
    """Heartbeats of workers."""
    return f"{app_id}.{Kind.WORKERS}"


def announcements_topic(app_id: str) -> str:
    """Where tasks with `announce=True` say that a job completed or failed."""
    return f"{app_id}.{Kind.ANNOUNCEMENTS}"


def event_source(topic: str, *, longest_ttl_seconds: int = 7 * DAY_SECONDS) -> Source:
    """The source of one domain topic, named like it."""
    if topic == JOBS:
        raise TopicRefused(f"Topic {JOBS!r}: the name belongs to the source of direct enqueues; use another.")
    return Source(name=topic, topics=(topic,), longest_ttl_seconds=longest_ttl_seconds)


def jobs_source(app_id: str, *, longest_ttl_seconds: int = 7 * DAY_SECONDS) -> Source:
    """The source of direct enqueues, highest priority first."""
    inputs = tuple(jobs_topic(app_id, priority) for priority in PRIORITIES)
    return Source(name=JOBS, topics=inputs, longest_ttl_seconds=longest_ttl_seconds)


def plan(
    app_id: str, sources: Iterable[Source], settings: TopicSettings, *, brokers: int = 1
) -> tuple[TopicSpec, ...]:
    """Every topic the app needs, inputs first. Raises TopicRefused when two uses share a name."""
    copies = settings.replication_factor or min(3, brokers)
    specs: dict[str, TopicSpec] = {}
    for spec in _specs(app_id, sources, settings, copies):
        if spec.name in specs:
            raise TopicRefused(
                f"Topic {spec.name} would serve twice, as {specs[spec.name].kind} and as {spec.kind}. "
                "A task cannot subscribe to a topic of Headrace's own; choose another topic or app id."
            )
        specs[spec.name] = spec
    return tuple(specs.values())


def _specs(
    app_id: str, sources: Iterable[Source], settings: TopicSettings, copies: int
) -> Iterable[TopicSpec]:
    for source in sources:
        default = settings.jobs_partitions if source.is_jobs else settings.default_partitions
        partitions = source.partitions or default
        kind = Kind.JOBS if source.is_jobs else Kind.INPUT
        for topic in source.topics:
            yield _spec(topic, kind, partitions, copies)
        ttl = {"retention.ms": str(source.longest_ttl_seconds * 1000)}
        for state in STATE_KINDS:
            name = f"{app_id}.{source.name}.{state}"
            yield _spec(name, state, partitions, copies, ttl if state is Kind.LEDGER else {})
    yield _spec(registry_topic(app_id), Kind.REGISTRY, 1, copies)
    yield _spec(workers_topic(app_id), Kind.WORKERS, 1, copies)
    yield _spec(announcements_topic(app_id), Kind.ANNOUNCEMENTS, settings.jobs_partitions, copies)


def _spec(
    name: str, kind: Kind, partitions: int, copies: int, config: Mapping[str, str] | None = None
) -> TopicSpec:
    durable = {"min.insync.replicas": "2" if copies >= 3 else "1"}
    return TopicSpec(
        name=name,
        kind=kind,
        partitions=partitions,
        replication_factor=copies,
        config={**CONFIGS[kind], **durable, **(config or {})},
    )
