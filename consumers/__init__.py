"""Background jobs on Kafka. What a task module needs is here.

>>> from consumers import task, Context, Retry

Names are loaded when they are first used: the command line must be able to say what is wrong
before anything of ours is imported that somebody's own package may hide.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consumers.backoff import Exponential, Fixed, Linear
    from consumers.context import Context, Step
    from consumers.crontab import cron
    from consumers.decorators import json_topic, middleware, on_shutdown, on_startup, task
    from consumers.options import RECORD_KEY
    from consumers.verdicts import Discard, Fail, Retry
    from events.workflow import chain, group, signature

_HOME = {
    "RECORD_KEY": "options",
    "Context": "context",
    "Discard": "verdicts",
    "Exponential": "backoff",
    "Fail": "verdicts",
    "Fixed": "backoff",
    "Linear": "backoff",
    "Retry": "verdicts",
    "Step": "context",
    "cron": "crontab",
    "chain": "events.workflow",
    "group": "events.workflow",
    "json_topic": "decorators",
    "middleware": "decorators",
    "on_shutdown": "decorators",
    "on_startup": "decorators",
    "signature": "events.workflow",
    "task": "decorators",
}

__all__ = [
    "RECORD_KEY",
    "Context",
    "Discard",
    "Exponential",
    "Fail",
    "Fixed",
    "Linear",
    "Retry",
    "Step",
    "chain",
    "cron",
    "group",
    "json_topic",
    "middleware",
    "on_shutdown",
    "on_startup",
    "signature",
    "task",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'consumers' has no attribute {name!r}")
    return getattr(import_module(home if "." in home else f"consumers.{home}"), name)
