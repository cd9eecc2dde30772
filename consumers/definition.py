"""A task: a plain function and how its jobs are run.

Calling it calls the function, so a test needs no worker: `await send_email(ctx, to=…)`.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, Unpack

from consumers import payload
from consumers.arguments import Arguments
from consumers.errors import InvalidArguments
from consumers.options import RECORD_KEY, TaskOptions
from consumers.subscriptions import Subscription
from events.queue_options import Enqueue, EnqueueOptions, OptionNames, Priority
from events.workflow import Signature
from schemas.cloudevent import CloudEvent
from schemas.job import JsonKey

if TYPE_CHECKING:
    from consumers.context import Context

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """What `@task` makes of a function. `settings` are its options; `place` is its file and line."""

    def __init__(
        self,
        *,
        function: "Callable[Concatenate[Context, P], R]",
        settings: TaskOptions,
        subscriptions: tuple[Subscription, ...] = (),
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.settings = settings
        self.name = settings.name
        self.kind: Literal["async", "thread", "process"] = _kind(function, settings)
        self.subscriptions = subscriptions
        self.is_plain = not settings.on
        self.place = place_of(function)
        self._arguments = Arguments(function, task=self.name) if self.is_plain else None

    def __call__(self, ctx: "Context", *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(ctx, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<Task {self.name} at {self.place}>"

    @property
    def priority(self) -> Priority:
        """Of its jobs, unless an enqueue says otherwise."""
        return self.settings.priority

    def options(self, **options: Unpack[OptionNames]) -> Enqueue[P]:
        """This task with options for one enqueue, see EnqueueOptions. Raises `ValueError`."""
        try:
            return Enqueue(self, EnqueueOptions(**options))
        except TypeError as error:
            known = ", ".join(EnqueueOptions.__dataclass_fields__)
            raise ValueError(f"options of one enqueue are {known}; {error}") from None

    def parse_event(self, event: CloudEvent, subscription: Subscription) -> Any:
        """What the handler gets for the event. Raises UndecodableEvent and InvalidEvent."""
        return payload.parse(event, subscription.model)

    def parse_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of a plain task. Raises InvalidArguments."""
        return self._plain().parse(args)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """The arguments of a call by their names. Raises InvalidArguments for one too many."""
        named = self._plain().named(args)
        for name in named.keys() & kwargs.keys():
            raise InvalidArguments(f"arguments of task {self.name!r}: {name} is given twice")
        return {**named, **kwargs}

    def dump_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments as JSON values, to be sent. Raises InvalidArguments."""
        return self._plain().dump(args)

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """A step of a workflow: this task with some of its arguments. What came before gives the first of
        the rest. Raises InvalidArguments."""
        return self._signature(args, kwargs, alone=False)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """A step that takes nothing from what came before it. Raises InvalidArguments."""
        return self._signature(args, kwargs, alone=True)

    def _signature(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, alone: bool) -> Signature:
        named = self.bind(*args, **kwargs)
        dumped = self.dump_args(named) if alone else self._plain().dump_some(named)
        options = EnqueueOptions(priority=self.priority)
        return Signature(task=self.name, args=dumped, alone=alone, own=options)

    def with_input(self, args: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """`args` with `value` for the first parameter they do not give. Raises InvalidArguments."""
        return {**args, self._plain().first_free(args): value}

    def args_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of a plain task's arguments; None for a task of events."""
        return None if self._arguments is None else self._arguments.schema()

    def _plain(self) -> Arguments:
        if self._arguments is None:
            raise InvalidArguments(f"task {self.name!r} runs on events: publish one instead of enqueuing it")
        return self._arguments

    def wants(self, given: Any) -> bool:
        """Whether `when` lets the payload pass. Raises InvalidEvent when it raises."""
        when = self.settings.when
        return when is None or bool(payload.ask(when, given, option="when", kind=bool))

    def idempotency_key_of(
        self, event: CloudEvent, given: Any = None, record_key: bytes | None = None
    ) -> JsonKey:
        """What makes two events the same job: by default the event's source and id. Raises InvalidEvent.

        `given` is the payload, what the function of the option looks at. A null record key is no key:
        such events are told apart by source and id.
        """
        wanted = self.settings.idempotency_key
        if wanted is None or (wanted == RECORD_KEY and record_key is None):
            return [event.source, event.id]
        if callable(wanted):
            return payload.key_of(wanted, given)
        return (record_key or b"").decode(errors="backslashreplace")

    def invoke(self, ctx: "Context", given: Any, args: dict[str, Any]) -> Any:
        """Call the function: the coroutine of an `async def`, the result of a `def` (call it in a thread)."""
        if self.is_plain:
            return self.function(ctx, **args)  # type: ignore[call-arg]
        return self.function(ctx, given)  # type: ignore[call-arg]


def _kind(function: Callable[..., Any], settings: TaskOptions) -> Literal["async", "thread", "process"]:
    if is_async(function):
        return "async"
    return "process" if settings.isolation == "process" else "thread"


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: an `async def`, a partial of one, an object whose call is one."""
    plain = inspect.unwrap(function)
    while isinstance(plain, functools.partial):
        plain = plain.func
    return inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(getattr(plain, "__call__", None))  # noqa: B004


def place_of(function: Callable[..., Any]) -> str:
    """`file:line` of a function, as tracebacks and editors write it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)
