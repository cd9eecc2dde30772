"""What the registry topic says: the newest announcement of each task and schedule, folded by release.

Of two announcements of one key the higher release holds, however late the other comes; among equals the
later one. What was removed stays known as removed, so that no older worker brings it back.
"""

from typing import Any, Final

import orjson

from events.log_reader import LogReader
from events.releases import is_older
from events.topics import registry_topic

TASK_PREFIX: Final = "task/"
SCHEDULE_PREFIX: Final = "schedule/"

Document = dict[str, Any]


class RegistryView:
    """Feed it every record of the topic, from the first on."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.overruled: set[str] = set()  # keys whose newest record in the topic does not hold

    def add(self, key: bytes | None, value: bytes | None) -> bool:
        """Fold the next record; returns whether it changed anything."""
        name = (key or b"").decode(errors="replace")
        document = _document(value)
        known = self.documents.get(name)
        if value is None:
            self.overruled.discard(name)
            return self.documents.pop(name, None) is not None
        if document is None:
            return False  # nothing a worker wrote
        if known is not None and is_older(document["release"], known["release"]):
            self.overruled.add(name)
            return False
        self.overruled.discard(name)
        self.documents[name] = document
        return document != known

    def schedules(self) -> dict[str, Document]:
        """The schedules there are, by name; those removed left out."""
        return self._there(SCHEDULE_PREFIX)

    def tasks(self) -> dict[str, Document]:
        """The tasks there are, by name; those removed left out."""
        return self._there(TASK_PREFIX)

    def _there(self, prefix: str) -> dict[str, Document]:
        return {
            key.removeprefix(prefix): document
            for key, document in sorted(self.documents.items())
            if key.startswith(prefix) and not document.get("removed")
        }


async def read_registry(reader: LogReader, app_id: str) -> RegistryView:
    """The view as it is now."""
    view = RegistryView()
    async for record in reader.read([registry_topic(app_id)]):
        view.add(record.key, record.value)
    return view


def _document(value: bytes | None) -> Document | None:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("release"), str):
        return None
    return document
