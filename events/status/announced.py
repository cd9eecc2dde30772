"""What workers announce: tasks and schedules (`A.registry`) and signs of life (`A.workers`), in memory."""

from typing import Any

import orjson

from events.registry_view import RegistryView
from events.topics import Kind

Announcement = dict[str, Any]


class Announced:
    """The announcement of each task and schedule that holds, and the newest of each worker. Written by one
    thread, read by any."""

    def __init__(self) -> None:
        self._registry = RegistryView()
        self.tasks: dict[str, Announcement] = {}
        self.schedules: dict[str, Announcement] = {}
        self.workers: dict[str, Announcement] = {}

    def add(self, kind: Kind, key: bytes | None, value: bytes | None) -> None:
        """Take the next record of either topic; what is not ours is left aside."""
        if kind is Kind.WORKERS:
            self._put(self.workers, (key or b"").decode(errors="replace"), value)
        elif self._registry.add(key, value):
            self.tasks, self.schedules = self._registry.tasks(), self._registry.schedules()

    def _put(self, known: dict[str, Announcement], name: str, value: bytes | None) -> None:
        if value is None:
            known.pop(name, None)
            return
        try:
            told = orjson.loads(value)
        except orjson.JSONDecodeError:
            return
        if isinstance(told, dict):
            known[name] = told
