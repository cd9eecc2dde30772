"""Which sources a worker reads: one for each topic a task subscribes to, and the jobs."""

from typing import TYPE_CHECKING

from events.topics import DAY_SECONDS, Source, event_source, jobs_source

if TYPE_CHECKING:
    from consumers.options import TaskOptions
    from consumers.registry import Registry
    from events.settings import ClientSettings


def sources_of(settings: "ClientSettings", registry: "Registry") -> tuple[Source, ...]:
    """The sources the tasks of a registry need. Raises TopicRefused for a topic that is ours."""
    ttl_seconds = max([7 * DAY_SECONDS, *(_longest_ttl(task.settings) for task in registry.tasks.values())])
    events = [event_source(topic, longest_ttl_seconds=ttl_seconds) for topic in registry.topics()]
    return (*events, jobs_source(settings.app_id, longest_ttl_seconds=ttl_seconds))


def _longest_ttl(options: "TaskOptions") -> int:
    return int(max(options.dedupe_ttl_seconds, options.result_ttl_seconds, options.failure_ttl_seconds))
