"""`@task` and its companions: what a task module writes. They fill the current registry."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from consumers.definition import Task, place_of
from consumers.errors import InvalidTask
from consumers.middleware_chain import Middleware
from consumers.option_names import On, OptionNames
from consumers.options import read_options
from consumers.registry import Hook, current
from consumers.signature import check_function, topic_and_pattern
from consumers.subscriptions import Subscription

if TYPE_CHECKING:
    from consumers.context import Context

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Hook)
M = TypeVar("M", bound=Middleware)


@overload
def task(function: "Callable[Concatenate[Context, P], R]", /) -> Task[P, R]: ...


@overload
def task(
    **options: Unpack[OptionNames],
) -> "Callable[[Callable[Concatenate[Context, P], R]], Task[P, R]]": ...


def task(function: Any = None, /, **options: Any) -> Any:
    """Make a function a task. `on=` names the events it is for; without, it is enqueued by name.

    Raises InvalidTask when the function or an option cannot be used, and DuplicateTask, with file and line.
    """
    if function is not None:
        return _register(function, options)
    return lambda decorated: _register(decorated, options)


def _register(function: Any, options: dict[str, Any]) -> Task[..., Any]:
    name = options.get("name", getattr(function, "__name__", "a function"))
    try:
        settings = read_options(options, function_name=name)
        check_function(function, settings)
        made = Task[..., Any](function=function, settings=settings)
        made.subscriptions = tuple(_subscription(made, on) for on in settings.on)
    except ValueError as error:
        raise InvalidTask(f"{place_of(function)}: task {name!r}: {error}") from None
    current().add(made)
    return made


def _subscription(made: Task[..., Any], on: On) -> Subscription:
    topic, pattern = topic_and_pattern(on, made.settings.topic)
    if isinstance(on, str):
        return Subscription(made, topic, pattern)
    return Subscription(made, topic, pattern, model=on, version=getattr(on, "version", 1))


def on_startup(hook: H) -> H:
    """Run before the first job, with the dictionary that becomes `ctx.state`. `async def` or `def`."""
    current().startup.append(hook)
    return hook


def on_shutdown(hook: H) -> H:
    """Run after the last job, in reverse order of registration, with the same dictionary."""
    current().shutdown.insert(0, hook)
    return hook


def middleware(wrapper: M) -> M:
    """Wrap every attempt: `async def timing(ctx, call): return await call()`. The first is outermost."""
    current().middleware.append(wrapper)
    return wrapper


def json_topic(topic: str, *, type: str) -> None:
    """Read records of a topic without CloudEvents headers as bare JSON events of this type."""
    current().add_json_topic(topic, type)
