"""Which tasks an event is for: by topic, and by type, exactly or with wildcards; and in which versions."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from consumers.definition import Task

_WILDCARDS: Final = frozenset("*?[")
# Types come from outside: somebody inventing a new one per event must not fill the memory.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """One event a task is for. Without a model the task gets the envelope, in any version."""

    task: "Task[..., Any]"
    topic: str
    pattern: str
    model: type[BaseModel] | None = None
    version: int | None = None

    def matches(self, type: str) -> bool:
        return fnmatchcase(type, self.pattern) if _WILDCARDS & set(self.pattern) else type == self.pattern

    def takes(self, version: int) -> bool:
        """Whether the task understands events of this version."""
        return self.version is None or self.version == version


class Subscriptions:
    """All of them, and the answer for each (topic, type) asked before."""

    def __init__(self) -> None:
        self._all: list[Subscription] = []
        self._known: dict[tuple[str, str], tuple[Subscription, ...]] = {}

    def add(self, subscription: Subscription) -> None:
        self._all.append(subscription)
        self._known.clear()

    def matching(self, topic: str, type: str) -> tuple[Subscription, ...]:
        """Those for an event, in the order of registration; a task is asked once for one version of it."""
        found = self._known.get((topic, type))
        if found is None:
            found = self._find(topic, type)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[topic, type] = found
        return found

    def _find(self, topic: str, type: str) -> tuple[Subscription, ...]:
        matching = [one for one in self._all if one.topic == topic and one.matches(type)]
        typed = {one.task.name for one in matching if one.model is not None}
        chosen: dict[tuple[str, int | None], Subscription] = {}
        for one in matching:
            if one.model is not None or one.task.name not in typed:
                chosen.setdefault((one.task.name, one.version), one)
        return tuple(chosen.values())

    def versions(self, topic: str, type: str) -> frozenset[int] | None:
        """The versions typed tasks understand, None when any will do."""
        found = frozenset(one.version for one in self.matching(topic, type) if one.version is not None)
        return found or None

    def topics(self) -> tuple[str, ...]:
        return tuple(sorted({one.topic for one in self._all}))
