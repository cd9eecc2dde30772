"""The tasks of this process, and what surrounds them: start-up, shut-down, middleware, bare JSON topics.

Decorators fill the registry that is current while a task module is imported.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from consumers.definition import Task
from consumers.errors import DuplicateTask, InvalidSchedule, InvalidTask
from consumers.middleware_chain import Call, Middleware, RunInProcess, RunInThread, compose
from consumers.options import RECORD_KEY
from consumers.scheduling.schedule import Schedule
from consumers.subscriptions import Subscription, Subscriptions

if TYPE_CHECKING:
    from consumers.settings import WorkerSettings
    from events.topics import Source

__all__ = ["Hook", "Registry", "Subscription", "Task", "current", "load_sources", "using"]

Hook = Callable[[dict[str, Any]], Awaitable[None] | None]
AnyTask = Task[..., Any]


class Registry:
    """Everything task modules announced. Made once at boot, then only read."""

    def __init__(self) -> None:
        self._tasks: dict[str, AnyTask] = {}
        self._subscriptions = Subscriptions()
        self._json_topics: dict[str, str] = {}
        self._schedules: dict[str, Schedule] = {}
        self.loading: str | None = None  # the entry of HEADRACE_TASK_MODULES that is imported now
        self.origins: dict[str, str | None] = {}  # announced as (`task/…`, `schedule/…`) → that entry
        self.startup: list[Hook] = []
        self.shutdown: list[Hook] = []  # in the order they run: what was opened last is closed first
        self.middleware: list[Middleware] = []

    def add(self, task: AnyTask) -> None:
        """Register a task with its subscriptions. Raises DuplicateTask."""
        other = self._tasks.get(task.name)
        if other is not None:
            same = " (one file imported under two module names?)" if other.place == task.place else ""
            raise DuplicateTask(
                f"two tasks are named {task.name!r}{same}:\n  {other.place}\n  {task.place}\n"
                "give one of them another name with @task(name=…)"
            )
        self._tasks[task.name] = task
        self.origins[f"task/{task.name}"] = self.loading
        for subscription in task.subscriptions:
            self._subscriptions.add(subscription)

    def add_schedule(self, schedule: Schedule) -> None:
        """Register a schedule. Raises InvalidSchedule when its name is taken."""
        other = self._schedules.get(schedule.name)
        if other is not None:
            raise InvalidSchedule(f"there is one of this name at {other.place}: give one of them name=…")
        self._schedules[schedule.name] = schedule
        self.origins[f"schedule/{schedule.name}"] = self.loading

    def add_json_topic(self, topic: str, type: str) -> None:
        """Records of the topic without CloudEvents headers are bare JSON of this type. Raises InvalidTask."""
        if self._json_topics.setdefault(topic, type) != type:
            raise InvalidTask(
                f"json_topic({topic!r}): declared as {self._json_topics[topic]!r} and as {type!r}"
            )

    @property
    def tasks(self) -> Mapping[str, AnyTask]:
        return MappingProxyType(self._tasks)

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        return MappingProxyType(self._schedules)

    @property
    def json_topics(self) -> Mapping[str, str]:
        """Topic to the event type of its bare JSON records."""
        return MappingProxyType(self._json_topics)

    @property
    def has_plain_tasks(self) -> bool:
        return any(task.is_plain for task in self._tasks.values())

    def matching(self, topic: str, type: str) -> tuple[Subscription, ...]:
        """The subscriptions an event is for. Remembered per (topic, type)."""
        return self._subscriptions.matching(topic, type)

    def versions(self, topic: str, type: str) -> frozenset[int] | None:
        """The versions typed subscribers understand; None when every subscriber takes any."""
        return self._subscriptions.versions(topic, type)

    def topics(self) -> tuple[str, ...]:
        """Every topic with events some task is for, sorted."""
        return self._subscriptions.topics()

    def hops(self, task: AnyTask) -> bool:
        """Whether events reach this task through the jobs topic, keyed by its own idempotency key."""
        key = task.settings.idempotency_key
        return key is not None and key != RECORD_KEY

    def handler(
        self,
        task: AnyTask,
        run_in_thread: RunInThread | None = None,
        run_in_process: RunInProcess | None = None,
    ) -> Call:
        """How to run the task: `call(ctx, payload, args)`, inside all middleware. Compose once, keep it.

        An async task's call gives a coroutine. A thread task's call without `run_in_thread` is the plain one,
        to be made in a thread; with it, the call gives a coroutine whose innermost part runs there.
        Middleware around a thread task needs `run_in_thread`, or `ValueError` is raised. `run_in_process`
        is the innermost part of a task with `isolation="process"`; without it that is a thread task.
        """
        return compose(task, tuple(self.middleware), run_in_thread, run_in_process)

    def check(self) -> None:
        """Make sure that tasks name each other rightly. Raises InvalidTask."""
        for task in self._tasks.values():
            wanted = task.settings.on_failure
            if wanted is None:
                continue
            target = self._tasks.get(wanted)
            if target is None or not target.is_plain:
                what = "runs on events" if target else "is not registered"
                raise InvalidTask(
                    f"{task.place}: task {task.name!r}: on_failure={wanted!r} {what}; name a plain task"
                )


_default = Registry()
_current: ContextVar[Registry | None] = ContextVar("registry", default=None)


def current() -> Registry:
    """The registry decorators fill now: the process's own, unless inside `using`."""
    return _current.get() or _default


@contextmanager
def using(registry: Registry) -> Iterator[Registry]:
    """Let decorators fill another registry for a while: tests make their own."""
    token = _current.set(registry)
    try:
        yield registry
    finally:
        _current.reset(token)


def load_sources(settings: "WorkerSettings") -> "tuple[Source, ...]":
    """The sources the task modules need: one for each event topic, and the jobs. Raises BootError."""
    from consumers.loading import load
    from consumers.sources import sources_of

    return sources_of(settings, load(settings.task_modules))
