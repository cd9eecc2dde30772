"""The sources the tasks need: one for each topic with events, and the jobs asked for directly."""

import math

from consumers.registry import Registry
from events.settings import ClientSettings
from events.topics import DAY_SECONDS, Source, event_source, jobs_source


def sources_of(settings: ClientSettings, registry: Registry) -> tuple[Source, ...]:
    """Every source, the jobs last. Raises TopicRefused for a topic that cannot be subscribed to.

    The ledgers keep records as long as any task wants its own kept, and at least a week.
    """
    wanted = [
        max(
            task.settings.dedupe_ttl_seconds,
            task.settings.result_ttl_seconds,
            task.settings.failure_ttl_seconds,
        )
        for task in registry.tasks.values()
    ]
    longest = math.ceil(max([7 * DAY_SECONDS, *wanted]))
    events = (event_source(topic, longest_ttl_seconds=longest) for topic in registry.topics())
    return (*events, jobs_source(settings.app_id, longest_ttl_seconds=longest))
