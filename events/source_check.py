"""May a source run: do all its topics have one partition count, and is its state kept as it must be?

Kafka and Faust accept a wrong count or policy in silence, and the jobs of some partitions then
never run. So it is asked before a worker starts; the sources that are right run on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from events.errors import TopicRefused
from events.topic_changes import Cluster, grow_command, same_policy
from events.topics import CONFIGS, STATE_KINDS, Source, state_topics


@dataclass(frozen=True)
class SourceProblem:
    """Why a source may not run. The message holds the command that mends it."""

    source: str
    message: str

    def __str__(self) -> str:
        return f"Source {self.source}: {self.message}"


def check_sources(app_id: str, sources: Iterable[Source], cluster: Cluster) -> tuple[SourceProblem, ...]:
    """Every problem found; empty when all sources may run."""
    return tuple(
        SourceProblem(source.name, message)
        for source in sources
        for message in _problems(app_id, source, cluster)
    )


def require_sources(app_id: str, sources: Iterable[Source], cluster: Cluster) -> None:
    """Raises TopicRefused with every problem, one a line."""
    problems = check_sources(app_id, sources, cluster)
    if problems:
        raise TopicRefused("\n".join(str(problem) for problem in problems))


def _problems(app_id: str, source: Source, cluster: Cluster) -> list[str]:
    names = (*source.topics, *state_topics(app_id, source.name))
    missing = [name for name in names if name not in cluster.topics]
    if missing:
        return [f"topic {name} does not exist; `headrace topics apply` creates it" for name in missing]
    return _partition_problems(names, cluster) + _policy_problems(app_id, source, cluster)


def _partition_problems(names: tuple[str, ...], cluster: Cluster) -> list[str]:
    counts = {name: cluster.topics[name].partitions for name in names}
    wanted = max(counts.values())
    largest = max(counts, key=lambda name: counts[name])
    return [
        f"topic {name} has {count} partitions, {largest} has {wanted}; they must agree. "
        f"Stop the workers and run: {grow_command(name, wanted)}"
        for name, count in counts.items()
        if count != wanted
    ]


def _policy_problems(app_id: str, source: Source, cluster: Cluster) -> list[str]:
    problems = []
    for kind, name in zip(STATE_KINDS, state_topics(app_id, source.name), strict=True):
        found = cluster.topics[name].config.get("cleanup.policy", "")
        wanted = CONFIGS[kind]["cleanup.policy"]
        if not same_policy(found, wanted):
            problems.append(
                f"topic {name} has cleanup.policy={found}, wanted {wanted}; `headrace topics apply` sets it"
            )
    return problems
