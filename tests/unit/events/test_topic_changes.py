"""What becomes of each difference between a topic wanted and a topic found."""

from collections.abc import Mapping

import pytest

from events.topic_changes import (
    ActualTopic,
    Cluster,
    Create,
    Keep,
    Refuse,
    SetConfig,
    diff,
    same_policy,
    with_actual_partitions,
)
from events.topics import Kind, TopicSpec, event_source

WANTED = {"cleanup.policy": "compact,delete", "retention.ms": "1000"}


def spec(kind: Kind = Kind.LEDGER, *, partitions: int = 4, copies: int = 1) -> TopicSpec:
    config = {} if kind is Kind.INPUT else WANTED
    return TopicSpec(name="t", kind=kind, partitions=partitions, replication_factor=copies, config=config)


def cluster(partitions: int = 4, config: Mapping[str, str] = WANTED, **more: int) -> Cluster:
    topics = {
        name: ActualTopic(name=name, partitions=count, replication_factor=1, config=config)
        for name, count in {"t": partitions, **more}.items()
    }
    return Cluster(brokers=1, topics=topics)


def test_the_same_is_no_change() -> None:
    assert diff([spec()], cluster()) == ()
    turned = {"cleanup.policy": "delete, compact", "retention.ms": "1000"}
    assert diff([spec()], cluster(config=turned)) == ()


def test_a_missing_topic_is_created() -> None:
    (change,) = diff([spec()], Cluster(brokers=1, topics={}))
    assert change == Create(spec())
    assert str(change) == "create t: partitions=4, copies=1, cleanup.policy=compact,delete, retention.ms=1000"


@pytest.mark.parametrize("found", ["compact", "delete", ""])
def test_a_policy_is_set(found: str) -> None:
    (change,) = diff([spec()], cluster(config=WANTED | {"cleanup.policy": found}))
    assert change == SetConfig("t", "cleanup.policy", found, "compact,delete")


@pytest.mark.parametrize("found", ["2000", "-1"])
def test_what_is_kept_longer_stays(found: str) -> None:
    (change,) = diff([spec()], cluster(config=WANTED | {"retention.ms": found}))
    assert isinstance(change, Keep)


@pytest.mark.parametrize("found", ["999", ""])
def test_what_is_kept_too_short_is_lengthened(found: str) -> None:
    (change,) = diff([spec()], cluster(config=WANTED | {"retention.ms": found}))
    assert change == SetConfig("t", "retention.ms", found, "1000")


def test_an_endless_wish_is_never_met_by_less() -> None:
    wanted = TopicSpec(
        name="t", kind=Kind.DLQ, partitions=4, replication_factor=1, config={"retention.ms": "-1"}
    )
    (change,) = diff([wanted], cluster())
    assert change == SetConfig("t", "retention.ms", "1000", "-1")


@pytest.mark.parametrize("kind", [Kind.INPUT, Kind.JOBS, Kind.LEDGER, Kind.RETRY, Kind.DLQ, Kind.COMMANDS])
@pytest.mark.parametrize("found", [3, 5])
def test_partitions_tied_to_a_source_are_refused(kind: Kind, found: int) -> None:
    change, *_ = diff([spec(kind)], cluster(found))
    assert isinstance(change, Refuse)
    command = "--alter --topic t --partitions 4" if found < 4 else "give the other topics of its source 5"
    assert command in str(change)


def test_partitions_of_the_registry_do_not_matter() -> None:
    (change,) = diff([spec(Kind.REGISTRY)], cluster(7))
    assert isinstance(change, Keep)


def test_fewer_copies_are_told_not_changed() -> None:
    (change,) = diff([spec(copies=3)], cluster())
    assert isinstance(change, Keep)
    assert "replication factor 1 (wanted 3)" in str(change)


def test_the_publishers_settings_are_the_publishers() -> None:
    assert diff([spec(Kind.INPUT, copies=3)], cluster(config={"cleanup.policy": "compact"})) == ()


def test_a_source_takes_the_largest_count_it_finds() -> None:
    found = cluster(partitions=4, **{"mill.t.retry": 6})
    (source,) = with_actual_partitions("mill", [event_source("t")], found)
    assert source.partitions == 6
    (new,) = with_actual_partitions("mill", [event_source("new")], found)
    assert new.partitions is None


def test_policies_are_sets() -> None:
    assert same_policy("compact,delete", "delete,compact")
    assert not same_policy("compact", "compact,delete")
