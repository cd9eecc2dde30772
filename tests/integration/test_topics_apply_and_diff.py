"""`headrace topics` creates what is missing, sets what differs, and touches no partition count."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from click.testing import CliRunner, Result

from consumers.cli import command
from consumers.settings import WorkerSettings
from events.errors import TopicNotCreated, TopicRefused
from events.provision import apply, inspect, prepare_sources, wanted_and_found
from events.topic_changes import diff
from events.topics import STATE_KINDS, event_source, state_topics
from tests.integration.conftest import MakeTopic

Headrace = Callable[..., Result]


@pytest.fixture
def headrace(broker: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    """The command line in a process of its own name, with no task modules but an empty one."""
    (tmp_path / f"tasks_{app_id}.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = {
        "HEADRACE_BOOTSTRAP_SERVERS": broker,
        "HEADRACE_APP_ID": app_id,
        "HEADRACE_TASK_MODULES": f"tasks_{app_id}",
        "HEADRACE_JOBS_PARTITIONS": "2",
    }

    def run(*arguments: str) -> Result:
        return CliRunner(env=environment).invoke(command, list(arguments))

    return run


def test_apply_creates_every_topic_once(headrace: Headrace, app_id: str) -> None:
    source = f"{app_id}-flights"
    assert headrace("topics", "diff", "--source", f"{source}:3").exit_code == 1

    created = json.loads(headrace("topics", "apply", "--json", "--source", f"{source}:3").stdout)
    partitions = {change["topic"]: change["partitions"] for change in created}
    assert {name: partitions[name] for name in (source, *state_topics(app_id, source))} == {
        source: 3,
        **dict.fromkeys(state_topics(app_id, source), 3),
    }
    assert partitions[f"{app_id}.jobs.high"] == partitions[f"{app_id}.jobs.retry"] == 2
    assert {change["change"] for change in created} == {"create"}

    again = headrace("topics", "diff", "--source", f"{source}:3")
    assert (again.exit_code, again.stdout) == (0, "Every topic is as it should be.\n")


async def _inspected(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    return dict((await inspect(admin, [name])).topics[name].config)


async def test_state_follows_an_input_that_exists(
    broker: str, app_id: str, admin: AIOKafkaAdminClient, make_topic: MakeTopic
) -> None:
    topic = await make_topic("flights", partitions=5, retention_ms=1234567)
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id, jobs_partitions=1)
    (source,), problems = await prepare_sources(settings, [event_source(topic)])
    assert (source.partitions, problems) == (5, ())
    assert (await _inspected(admin, topic))["retention.ms"] == "1234567"
    found = await inspect(admin, state_topics(app_id, topic))
    assert [found.topics[name].partitions for name in state_topics(app_id, topic)] == [5] * len(STATE_KINDS)


async def test_apply_sets_a_wrong_policy_and_keeps_what_others_set(
    broker: str, app_id: str, admin: AIOKafkaAdminClient, make_topic: MakeTopic
) -> None:
    topic = await make_topic("flights")
    retry = f"{app_id}.{topic}.retry"
    await make_topic(retry, exact=True, cleanup_policy="delete", flush_ms=777)
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id, jobs_partitions=1)
    sources = [event_source(topic)]

    _, problems = await prepare_sources(settings, sources)
    assert [problem.source for problem in problems] == [topic]
    assert f"{retry} has cleanup.policy=delete, wanted compact; `headrace topics apply`" in str(problems[0])
    wanted, cluster = await wanted_and_found(admin, app_id, sources, settings)
    await apply(admin, diff(wanted, cluster), cluster)
    config = await _inspected(admin, retry)
    assert (config["cleanup.policy"], config["flush.ms"]) == ("compact", "777")
    assert (await prepare_sources(settings, sources))[1] == ()


async def test_a_partition_count_is_refused_with_its_command(
    broker: str, app_id: str, admin: AIOKafkaAdminClient, make_topic: MakeTopic
) -> None:
    topic = await make_topic("flights", partitions=4)
    ledger = f"{app_id}.{topic}.ledger"
    await make_topic(ledger, exact=True, partitions=3, cleanup_policy="compact,delete")
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id, jobs_partitions=1)
    sources = [event_source(topic)]

    wanted, cluster = await wanted_and_found(admin, app_id, sources, settings)
    with pytest.raises(TopicRefused, match=f"--alter --topic {ledger} --partitions 4"):
        await apply(admin, diff(wanted, cluster), cluster)
    assert set((await inspect(admin, state_topics(app_id, topic))).topics) == {ledger}

    (_, problems) = await prepare_sources(settings, sources)
    assert [problem.source for problem in problems] == [topic]
    assert f"topic {ledger} has 3 partitions, {topic} has 4" in problems[0].message


async def test_workers_that_start_together_create_together(broker: str, app_id: str) -> None:
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id, jobs_partitions=1)
    sources = [event_source(f"{app_id}-flights")]
    answers = await asyncio.gather(*(prepare_sources(settings, sources) for _ in range(4)))
    assert {problems for _, problems in answers} == {()}
    assert {source.partitions for (source,), _ in answers} == {settings.default_partitions}


async def test_what_kafka_refuses_to_create_is_told(broker: str, app_id: str) -> None:
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id, replication_factor=9)
    with pytest.raises(TopicNotCreated, match=f"{app_id}-flights: InvalidReplicationFactorError"):
        await prepare_sources(settings, [event_source(f"{app_id}-flights")])


async def test_a_worker_that_may_not_create_is_told_what_is_missing(broker: str, app_id: str) -> None:
    settings = WorkerSettings(bootstrap_servers=broker, app_id=app_id)
    _, problems = await prepare_sources(settings, [event_source(f"{app_id}-flights")], create=False)
    assert len(problems) == 5
    assert "`headrace topics apply` creates it" in str(problems[0])


def test_a_topic_that_is_none_of_ours_is_wrong_use(headrace: Headrace) -> None:
    wrong = headrace("topics", "diff", "--topic", "flihgts")
    assert wrong.exit_code == 2
    assert "flihgts: not a topic of these sources" in wrong.stderr
    assert headrace("topics", "diff", "--source", "flights:none").exit_code == 2


def test_one_topic_can_be_applied_alone(headrace: Headrace, app_id: str) -> None:
    created = headrace("topics", "apply", "--topic", f"{app_id}.jobs.retry")
    assert created.stdout.startswith(f"create {app_id}.jobs.retry: partitions=2")
    assert len(created.stdout.splitlines()) == 1
    kept = json.loads(headrace("topics", "diff", "--json").stdout)
    assert f"{app_id}.jobs.retry" not in {change["topic"] for change in kept}
