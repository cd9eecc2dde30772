"""A source runs only when its topics agree in number and its state is kept as it must be."""

import pytest

from events.errors import TopicRefused
from events.source_check import check_sources, require_sources
from events.topic_changes import ActualTopic, Cluster
from events.topics import CONFIGS, STATE_KINDS, Source, event_source, jobs_source, state_topics


def cluster_of(*sources: Source, **different: ActualTopic) -> Cluster:
    topics = {}
    for source in sources:
        for name in source.topics:
            topics[name] = ActualTopic(name=name, partitions=4, replication_factor=1, config={})
        for kind, name in zip(STATE_KINDS, state_topics("mill", source.name), strict=True):
            config = CONFIGS[kind]
            topics[name] = ActualTopic(name=name, partitions=4, replication_factor=1, config=config)
    return Cluster(brokers=1, topics=topics | different)


FLIGHTS = event_source("flights")
JOBS = jobs_source("mill")


def test_sources_that_agree_may_run() -> None:
    found = cluster_of(FLIGHTS, JOBS)
    assert check_sources("mill", [FLIGHTS, JOBS], found) == ()
    require_sources("mill", [FLIGHTS, JOBS], found)


@pytest.mark.parametrize("name", ["flights", *state_topics("mill", "flights")])
def test_a_topic_with_fewer_partitions_stops_its_source_only(name: str) -> None:
    found = cluster_of(FLIGHTS, JOBS)
    small = ActualTopic(name=name, partitions=3, replication_factor=1, config=found.topics[name].config)
    (problem,) = check_sources("mill", [FLIGHTS, JOBS], cluster_of(FLIGHTS, JOBS, **{name: small}))
    assert problem.source == "flights"
    assert f"topic {name} has 3 partitions" in problem.message
    assert f"--alter --topic {name} --partitions 4" in problem.message


def test_inputs_of_one_source_must_agree() -> None:
    large = ActualTopic(name="mill.jobs.low", partitions=9, replication_factor=1, config={})
    problems = check_sources("mill", [JOBS], cluster_of(JOBS, **{large.name: large}))
    assert len(problems) == len(STATE_KINDS) + 2
    assert all("mill.jobs.low has 9" in problem.message for problem in problems)


@pytest.mark.parametrize(("kind", "wrong"), [("retry", "delete"), ("ledger", "compact"), ("dlq", "compact")])
def test_a_wrong_policy_is_named(kind: str, wrong: str) -> None:
    name = f"mill.flights.{kind}"
    topic = ActualTopic(name=name, partitions=4, replication_factor=1, config={"cleanup.policy": wrong})
    with pytest.raises(TopicRefused, match=f"topic {name} has cleanup.policy={wrong}, wanted "):
        require_sources("mill", [FLIGHTS], cluster_of(FLIGHTS, **{name: topic}))


def test_a_missing_topic_is_named_with_the_command() -> None:
    problems = check_sources("mill", [FLIGHTS], Cluster(brokers=1, topics={}))
    assert [problem.source for problem in problems] == ["flights"] * 5
    assert "`headrace topics apply` creates it" in str(problems[0])
