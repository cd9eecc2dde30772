"""Topic names, what is kept of each kind, and the plan of a whole app."""

from dataclasses import dataclass

import pytest

from events.errors import TopicRefused
from events.topics import (
    Kind,
    Source,
    commands_topic,
    dlq_topic,
    event_source,
    jobs_source,
    ledger_topic,
    plan,
    retry_topic,
    state_topics,
)


@dataclass(frozen=True)
class Shape:
    default_partitions: int = 6
    jobs_partitions: int = 4
    replication_factor: int | None = None


def test_a_source_has_four_topics_of_state() -> None:
    assert state_topics("mill", "flights") == (
        retry_topic("mill", "flights"),
        ledger_topic("mill", "flights"),
        dlq_topic("mill", "flights"),
        commands_topic("mill", "flights"),
    )
    assert retry_topic("mill", "flights") == "mill.flights.retry"


def test_jobs_come_from_three_topics_high_first() -> None:
    assert jobs_source("mill").topics == ("mill.jobs.high", "mill.jobs", "mill.jobs.low")


def test_the_plan_holds_every_topic_once() -> None:
    specs = plan("mill", [event_source("flights"), jobs_source("mill")], Shape())
    assert [(spec.name, spec.kind.value, spec.partitions) for spec in specs] == [
        ("flights", "input", 6),
        ("mill.flights.retry", "retry", 6),
        ("mill.flights.ledger", "ledger", 6),
        ("mill.flights.dlq", "dlq", 6),
        ("mill.flights.commands", "commands", 6),
        ("mill.jobs.high", "jobs", 4),
        ("mill.jobs", "jobs", 4),
        ("mill.jobs.low", "jobs", 4),
        ("mill.jobs.retry", "retry", 4),
        ("mill.jobs.ledger", "ledger", 4),
        ("mill.jobs.dlq", "dlq", 4),
        ("mill.jobs.commands", "commands", 4),
        ("mill.registry", "registry", 1),
        ("mill.workers", "workers", 1),
        ("mill.announcements", "announcements", 4),
    ]


def test_a_source_with_a_count_of_its_own_gives_it_to_its_state() -> None:
    specs = plan("mill", [Source(name="flights", topics=("flights",), partitions=12)], Shape())
    assert {spec.partitions for spec in specs if ".flights." in f".{spec.name}."} == {12}


@pytest.mark.parametrize(
    ("wanted", "brokers", "copies", "in_sync"),
    [(None, 1, 1, "1"), (None, 2, 2, "1"), (None, 5, 3, "2"), (1, 3, 1, "1"), (4, 5, 4, "2")],
)
def test_copies_follow_the_brokers(wanted: int | None, brokers: int, copies: int, in_sync: str) -> None:
    specs = plan("mill", [jobs_source("mill")], Shape(replication_factor=wanted), brokers=brokers)
    assert {(spec.replication_factor, spec.config["min.insync.replicas"]) for spec in specs} == {
        (copies, in_sync)
    }


def test_state_is_kept_as_the_engine_needs_it() -> None:
    source = event_source("flights", longest_ttl_seconds=30)
    specs = {spec.kind: spec.config for spec in plan("mill", [source], Shape())}
    assert specs[Kind.RETRY]["cleanup.policy"] == "compact"
    assert specs[Kind.LEDGER]["cleanup.policy"] == "compact,delete"
    assert specs[Kind.LEDGER]["retention.ms"] == "30000"
    assert specs[Kind.RETRY]["min.compaction.lag.ms"] == specs[Kind.LEDGER]["min.compaction.lag.ms"]
    assert int(specs[Kind.RETRY]["min.compaction.lag.ms"]) >= 600_000
    assert specs[Kind.DLQ]["cleanup.policy"] == "delete"
    assert "cleanup.policy" not in specs[Kind.INPUT]


def test_a_task_cannot_read_a_topic_of_ours() -> None:
    with pytest.raises(TopicRefused, match=r"mill\.flights\.dlq would serve twice"):
        plan("mill", [event_source("flights"), event_source("mill.flights.dlq")], Shape())
    with pytest.raises(TopicRefused, match="'jobs'"):
        event_source("jobs")
