"""A registry view with two tasks, as workers would announce them."""

from types import SimpleNamespace
from typing import Any

import orjson

from events.gateway.announced import Announced

EMAIL: dict[str, Any] = {
    "task": "send_email",
    "release": "1",
    "priority": "low",
    "on": [{"topic": "orders", "type": "order.*", "version": 1}],
    "schema": {
        "type": "object",
        "properties": {"to": {"type": "string"}},
        "required": ["to"],
        "additionalProperties": False,
    },
}
FREE: dict[str, Any] = {"task": "free", "release": "1", "schema": None, "on": []}


def announced(*tasks: dict[str, Any]) -> Announced:
    view = Announced()
    tell(view, *(tasks or (EMAIL, FREE)))
    return view


def tell(view: Announced, *tasks: dict[str, Any]) -> None:
    """The next announcements."""
    view.take(
        None,
        [SimpleNamespace(key=f"task/{task['task']}".encode(), value=orjson.dumps(task)) for task in tasks],
    )
