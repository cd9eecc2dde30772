"""What workers announce in `A.registry`: tasks with their JSON Schemas, as the gateway needs them."""

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

import jsonschema_rs
import structlog

from events.gateway.problems import ErrorPlace, pointer, problem
from events.queue_options import PRIORITIES, Priority
from events.registry_view import RegistryView

log = structlog.get_logger(__name__)

MOST_ERRORS: Final = 20
_NEAREST: Final = 3


class AnnouncedTask:
    """One task. `document` is the announcement as it is."""

    __slots__ = ("document", "max_depth", "name", "priority", "validator")

    def __init__(self, name: str, document: dict[str, Any]) -> None:
        self.name = name
        self.document = document
        given = document.get("priority")
        self.priority: Priority = given if given in PRIORITIES else "normal"
        depth = document.get("max_depth")
        self.max_depth: int | None = depth if isinstance(depth, int) else None
        self.validator = _validator(name, document.get("schema"))

    @property
    def events(self) -> Iterable[tuple[str, str]]:
        """(topic, event type) of what it subscribes to; a type may have wildcards."""
        for each in self.document.get("on") or ():
            if (
                isinstance(each, dict)
                and isinstance(each.get("topic"), str)
                and isinstance(each.get("type"), str)
            ):
                yield each["topic"], each["type"]

    def check(self, args: dict[str, Any], *, at: str = "/args") -> None:
        """Raise a problem that points at every argument the task would refuse."""
        validator = self.validator
        if validator is None or validator.is_valid(args):
            return
        places = []
        for error in validator.iter_errors(args):
            places.append(ErrorPlace(pointer=at + pointer(*error.instance_path), detail=error.message))
            if len(places) == MOST_ERRORS:
                break
        raise problem(
            "invalid-arguments",
            f"The arguments do not fit the task {self.name}: {places[0].detail}.",
            errors=[place.model_dump(exclude_none=True) for place in places],
        )


class Announced:
    """The live view of the registry topic: feed it every record from the first on."""

    def __init__(self) -> None:
        self._view = RegistryView()
        self.tasks: dict[str, AnnouncedTask] = {}

    def take(self, _place: object, records: Iterable[Any]) -> None:
        """Fold the next records of the topic."""
        changes = [self._view.add(record.key, record.value) for record in records]
        if any(changes):
            known, self.tasks = self.tasks, {}
            for name, document in self._view.tasks().items():
                task = known.get(name)
                same = task is not None and task.document == document
                self.tasks[name] = task if task is not None and same else AnnouncedTask(name, document)

    def topics_of(self, type: str) -> set[str]:
        """The topics tasks take events of this type from."""
        return {
            topic
            for task in self.tasks.values()
            for topic, wanted in task.events
            if fnmatchcase(type, wanted)
        }

    def takes_from(self, topic: str) -> bool:
        """Whether any task takes events from a topic."""
        return any(topic == each for task in self.tasks.values() for each, _ in task.events)

    def task(self, name: str) -> AnnouncedTask:
        """The task. Raises a problem with the names that look like it."""
        found = self.tasks.get(name)
        if found is not None:
            return found
        nearest = difflib.get_close_matches(name, self.tasks, n=_NEAREST)
        hint = f" Did you mean {' or '.join(nearest)}?" if nearest else ""
        if not self.tasks:
            hint = " No worker has announced any task yet."
        raise problem("unknown-task", f"No worker announces a task {name!r:.210}.{hint}", nearest=nearest)


def _validator(task: str, schema: Any) -> Any:
    if not isinstance(schema, dict):
        return None
    try:
        # Never fetches anything, and never repeats values: they may be secrets.
        return jsonschema_rs.validator_for(schema, offline=True, mask="the value")
    except ValueError as error:
        log.warning("schema_unusable", task=task, error=str(error)[:300])
        return None
