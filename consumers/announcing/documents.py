"""What is announced of tasks and schedules, and which announcements are to be written. Pure."""

import inspect
from collections.abc import Collection
from typing import Any

from consumers.definition import Task
from consumers.registry import Registry
from events.registry_view import SCHEDULE_PREFIX, TASK_PREFIX, Document, RegistryView
from events.releases import is_older


def announcements(registry: Registry, release: str) -> dict[str, Document]:
    """The announcements of a worker, by key."""
    found: dict[str, Document] = {}
    for task in registry.tasks.values():
        found[TASK_PREFIX + task.name] = _task(task)
    for schedule in registry.schedules.values():
        found[SCHEDULE_PREFIX + schedule.name] = schedule.document()
    for key, document in found.items():
        document |= {"module": registry.origins.get(key), "release": release, "removed": False}
    return found


def to_write(
    own: dict[str, Document], view: RegistryView, *, release: str, modules: Collection[str]
) -> dict[str, Document]:
    """The announcements that are missing or out of date, and removals of what `modules` no longer hold.

    What a higher release announced or removed is left alone.
    """
    wanted: dict[str, Document] = {}
    for key, document in own.items():
        known = view.documents.get(key)
        if known is not None and (is_older(release, known["release"]) or _stands(key, document, view)):
            continue
        wanted[key] = document
    for key, known in view.documents.items():
        if not key.startswith((TASK_PREFIX, SCHEDULE_PREFIX)) or key in own:
            continue
        if not known.get("removed"):
            if known.get("module") in modules and not is_older(release, known["release"]):
                wanted[key] = known | {"removed": True, "release": release}
        elif key in view.overruled and not is_older(release, known["release"]):
            wanted[key] = known
    return wanted


def outranked(own: dict[str, Document], view: RegistryView, release: str) -> list[str]:
    """Keys of ours that a higher release has announced or removed."""
    return sorted(
        key
        for key in own
        if (known := view.documents.get(key)) is not None and is_older(release, known["release"])
    )


def _stands(key: str, document: Document, view: RegistryView) -> bool:
    return view.documents[key] == document and key not in view.overruled


def _task(task: Task[..., Any]) -> Document:
    settings = task.settings
    rate = getattr(settings, "rate", None)
    document: Document = {
        "task": task.name,
        "schema": task.args_schema(),
        "on": [
            {"topic": each.topic, "type": each.pattern, "version": each.version}
            for each in task.subscriptions
        ],
        "timeout_seconds": settings.timeout_seconds,
        "max_tries": settings.max_tries,
        "priority": settings.priority,
        "order": settings.order,
        "isolation": settings.isolation,
        "rate": None if rate is None else str(rate),
        "max_jobs": settings.max_jobs,
        "max_depth": None,
        "doc": inspect.getdoc(task.function),
    }
    models = [each.model for each in task.subscriptions if each.model is not None]
    if models:
        document["event_schema"] = models[0].model_json_schema()
    return document
