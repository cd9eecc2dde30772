"""Looking at topics and changing them: inspect, then pure decisions, then apply.

Creating is safe for many workers at once. Settings change only where a person said apply.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

from events.connecting import Reach, admin_of, entered
from events.errors import BrokerUnreachable, TopicNotCreated, TopicRefused, TopicsError
from events.source_check import SourceProblem, check_sources
from events.topic_changes import (
    ActualTopic,
    Change,
    Cluster,
    Create,
    Refuse,
    SetConfig,
    diff,
    with_actual_partitions,
)
from events.topics import Source, TopicSettings, TopicSpec, plan

VISIBLE_WITHIN_SECONDS = 20
POLL_SECONDS = 0.1
TOPIC_LEVEL = 1  # config_source of a setting made for this topic


class ProvisionSettings(TopicSettings, Reach, Protocol):
    """Where Kafka is and how new topics are to be: a worker's settings."""


@asynccontextmanager
async def connected(settings: Reach) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client. Raises BrokerUnreachable."""
    async with AsyncExitStack() as stack:
        try:
            admin = await stack.enter_async_context(entered(admin_of(settings, "topics")))
        except (KafkaConnectionError, OSError) as error:
            raise BrokerUnreachable(
                f"No Kafka answers at {settings.bootstrap_servers} (HEADRACE_BOOTSTRAP_SERVERS); "
                "`headrace broker up` starts one on this machine."
            ) from error
        yield admin


async def inspect(admin: AIOKafkaAdminClient, names: Iterable[str]) -> Cluster:
    """The named topics as they are; those that do not exist are left out."""
    brokers = (await admin.describe_cluster())["brokers"]
    wanted = set(names)
    # All are listed, because asking for one by name may create it.
    found = [
        topic for topic in await admin.describe_topics() if topic["topic"] in wanted and topic["partitions"]
    ]
    configs = await _configs(admin, [topic["topic"] for topic in found])
    return Cluster(
        brokers=len(brokers),
        topics={topic["topic"]: _actual(topic, configs[topic["topic"]]) for topic in found},
    )


async def wanted_and_found(
    admin: AIOKafkaAdminClient, app_id: str, sources: Iterable[Source], settings: TopicSettings
) -> tuple[tuple[TopicSpec, ...], Cluster]:
    """The topics the sources need, with the partition counts of those there are; and what is there."""
    sources = tuple(sources)
    cluster = await inspect(admin, (spec.name for spec in plan(app_id, sources, settings)))
    settled = with_actual_partitions(app_id, sources, cluster)
    return plan(app_id, settled, settings, brokers=cluster.brokers), cluster


async def create_missing(
    admin: AIOKafkaAdminClient, app_id: str, sources: Iterable[Source], settings: TopicSettings
) -> Cluster:
    """Create the topics that are not there, change nothing else, and say what is there then.

    What a worker does at boot. Raises TopicNotCreated.
    """
    wanted, cluster = await wanted_and_found(admin, app_id, sources, settings)
    missing = [change for change in diff(wanted, cluster) if isinstance(change, Create)]
    if not missing:
        return cluster
    await apply(admin, missing, cluster)
    return await inspect(admin, (spec.name for spec in wanted))


async def prepare_sources(
    settings: ProvisionSettings, sources: Iterable[Source], *, create: bool = True
) -> tuple[tuple[Source, ...], tuple[SourceProblem, ...]]:
    """The sources with their partition counts, and why some of them may not run.

    The whole of what a worker does at boot. Raises BrokerUnreachable or TopicNotCreated.
    """
    sources = tuple(sources)
    async with connected(settings) as admin:
        if create:
            cluster = await create_missing(admin, settings.app_id, sources, settings)
        else:
            _, cluster = await wanted_and_found(admin, settings.app_id, sources, settings)
    settled = with_actual_partitions(settings.app_id, sources, cluster)
    return settled, check_sources(settings.app_id, settled, cluster)


async def apply(admin: AIOKafkaAdminClient, changes: Iterable[Change], cluster: Cluster) -> None:
    """Make the changes. Raises TopicRefused before the first when one of them is refused."""
    changes = tuple(changes)
    refused = [str(change) for change in changes if isinstance(change, Refuse)]
    if refused:
        raise TopicRefused("Nothing was changed.\n" + "\n".join(refused))
    await _create(admin, [change.spec for change in changes if isinstance(change, Create)])
    await _configure(admin, [change for change in changes if isinstance(change, SetConfig)], cluster)


async def _create(admin: AIOKafkaAdminClient, specs: list[TopicSpec]) -> None:
    if not specs:
        return
    new = [
        NewTopic(spec.name, spec.partitions, spec.replication_factor, topic_configs=dict(spec.config))
        for spec in specs
    ]
    answer = (await admin.create_topics(new)).to_object()
    for error in answer["topic_errors"]:
        kind = for_code(error["error_code"])
        # Another worker was faster.
        if error["error_code"] and kind is not TopicAlreadyExistsError:
            reason = error.get("error_message") or kind.description
            raise TopicNotCreated(f"Kafka did not create topic {error['topic']}: {kind.__name__}, {reason}")
    await _visible(admin, {spec.name for spec in specs})


async def _visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A topic is created before every broker knows its leaders."""
    deadline = time.monotonic() + VISIBLE_WITHIN_SECONDS
    while True:
        found = {topic["topic"] for topic in await admin.describe_topics() if _usable(topic)}
        if names <= found:
            return
        if time.monotonic() > deadline:
            late = ", ".join(sorted(names - found))
            raise TopicNotCreated(f"Created, but without leaders for {VISIBLE_WITHIN_SECONDS} s: {late}")
        await asyncio.sleep(POLL_SECONDS)


async def _configure(admin: AIOKafkaAdminClient, changes: list[SetConfig], cluster: Cluster) -> None:
    resources = []
    for name in sorted({change.topic for change in changes}):
        actual = cluster.topics[name]
        # The request replaces everything set on the topic: repeat what is to stay.
        kept = {setting: actual.config[setting] for setting in actual.overridden}
        wanted = {change.setting: change.wanted for change in changes if change.topic == name}
        resources.append(ConfigResource(ConfigResourceType.TOPIC, name, configs=kept | wanted))
    if not resources:
        return
    for answer in await admin.alter_configs(resources):
        for error in answer.to_object()["resources"]:
            if error["error_code"]:
                reason = f"{for_code(error['error_code']).__name__}, {error['error_message']}"
                raise TopicNotCreated(f"Kafka did not change topic {error['resource_name']}: {reason}")


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> Mapping[str, list[dict[str, Any]]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, list[dict[str, Any]]] = {}
    for answer in await admin.describe_configs(resources):
        for resource in answer.to_object()["resources"]:
            if resource["error_code"]:
                reason = f"{for_code(resource['error_code']).__name__}, {resource['error_message']}"
                raise TopicsError(f"Settings of topic {resource['resource_name']} not readable: {reason}")
            found[resource["resource_name"]] = resource["config_entries"]
    return found


def _usable(topic: Mapping[str, Any]) -> bool:
    return not topic["error_code"] and all(part["leader"] >= 0 for part in topic["partitions"])


def _actual(topic: Mapping[str, Any], entries: list[dict[str, Any]]) -> ActualTopic:
    return ActualTopic(
        name=topic["topic"],
        partitions=len(topic["partitions"]),
        replication_factor=min(len(part["replicas"]) for part in topic["partitions"]),
        config={entry["config_names"]: entry["config_value"] or "" for entry in entries},
        overridden=frozenset(
            entry["config_names"] for entry in entries if entry["config_source"] == TOPIC_LEVEL
        ),
    )
