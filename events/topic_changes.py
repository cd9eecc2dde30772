"""What stands between the topics there are and the topics wanted: pure decisions.

Nothing is taken away. Partition counts are never changed: they tie a source to its state, and
Kafka moves keys when they grow. What only a person may decide is refused with its command.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from events.topics import STATE_KINDS, Kind, Source, TopicSpec, state_topics

# A smaller value here drops records or refuses ones that were taken before.
NEVER_LOWERED = (
    "retention.ms",
    "max.message.bytes",
    "min.compaction.lag.ms",
    "delete.retention.ms",
    "min.insync.replicas",
)
UNLIMITED = "-1"


@dataclass(frozen=True, kw_only=True)
class ActualTopic:
    """A topic as it is. `overridden` are the settings made for it, the rest are the broker's."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]
    overridden: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What was found."""

    brokers: int
    topics: Mapping[str, ActualTopic]


@dataclass(frozen=True)
class Create:
    """A topic that is not there."""

    spec: TopicSpec

    @property
    def topic(self) -> str:
        return self.spec.name

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in sorted(self.spec.config.items()))
        copies = self.spec.replication_factor
        return f"create {self.topic}: partitions={self.spec.partitions}, copies={copies}, {settings}"


@dataclass(frozen=True)
class SetConfig:
    """A setting that differs and may be changed without losing anything."""

    topic: str
    setting: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"change {self.topic}: {self.setting} {self.found} → {self.wanted}"


@dataclass(frozen=True)
class Keep:
    """A difference that is harmless; it stays as it is found."""

    topic: str
    setting: str
    found: str
    wanted: str
    reason: str

    def __str__(self) -> str:
        return f"keep {self.topic}: {self.setting} {self.found} (wanted {self.wanted}): {self.reason}"


@dataclass(frozen=True)
class Refuse:
    """A difference that stops work, and that only a person may mend."""

    topic: str
    setting: str
    found: str
    wanted: str
    mend: str

    def __str__(self) -> str:
        return f"refuse {self.topic}: {self.setting} {self.found}, wanted {self.wanted}. {self.mend}"


Change = Create | SetConfig | Keep | Refuse


def with_actual_partitions(app_id: str, sources: Iterable[Source], cluster: Cluster) -> tuple[Source, ...]:
    """The sources with the largest count among the topics they already have: the others must follow."""
    return tuple(
        replace(source, partitions=_found_partitions(app_id, source, cluster) or source.partitions)
        for source in sources
    )


def diff(wanted: Iterable[TopicSpec], cluster: Cluster) -> tuple[Change, ...]:
    """Every difference, in the order of the topics wanted."""
    return tuple(change for spec in wanted for change in _differences(spec, cluster.topics.get(spec.name)))


def same_policy(found: str, wanted: str) -> bool:
    """Whether two values of cleanup.policy mean the same."""
    return {part.strip() for part in found.split(",")} == {part.strip() for part in wanted.split(",")}


def grow_command(topic: str, partitions: int) -> str:
    """Kafka's own command for more partitions."""
    return (
        "kafka-topics.sh --bootstrap-server $HEADRACE_BOOTSTRAP_SERVERS "
        f"--alter --topic {topic} --partitions {partitions}"
    )


def _found_partitions(app_id: str, source: Source, cluster: Cluster) -> int | None:
    names = (*source.topics, *state_topics(app_id, source.name))
    return max((cluster.topics[name].partitions for name in names if name in cluster.topics), default=None)


def _differences(spec: TopicSpec, found: ActualTopic | None) -> Iterator[Change]:
    if found is None:
        yield Create(spec)
        return
    if found.partitions != spec.partitions:
        yield _partitions_differ(spec, found.partitions)
    if spec.kind is Kind.INPUT:
        return
    if found.replication_factor < spec.replication_factor:
        has, wants = str(found.replication_factor), str(spec.replication_factor)
        yield Keep(spec.name, "replication factor", has, wants, "kafka-reassign-partitions.sh adds copies")
    for setting, value in spec.config.items():
        yield from _setting_differs(spec.name, setting, found.config.get(setting, ""), value)


def _partitions_differ(spec: TopicSpec, found: int) -> Change:
    tied = spec.kind in STATE_KINDS or spec.kind in (Kind.INPUT, Kind.JOBS)
    if not tied:
        return Keep(spec.name, "partitions", str(found), str(spec.partitions), "any number serves")
    if found < spec.partitions:
        mend = f"Stop the workers and run: {grow_command(spec.name, spec.partitions)}"
    else:
        mend = f"Kafka never takes partitions away: give the other topics of its source {found} too."
    return Refuse(spec.name, "partitions", str(found), str(spec.partitions), mend)


def _setting_differs(topic: str, setting: str, found: str, wanted: str) -> Iterator[Change]:
    if found == wanted or (setting == "cleanup.policy" and same_policy(found, wanted)):
        return
    if setting in NEVER_LOWERED and _larger(found, wanted):
        yield Keep(topic, setting, found, wanted, "a smaller value could drop or refuse records")
        return
    yield SetConfig(topic, setting, found, wanted)


def _larger(found: str, wanted: str) -> bool:
    if wanted == UNLIMITED:
        return False
    return found == UNLIMITED or (found.isdecimal() and int(found) > int(wanted))
