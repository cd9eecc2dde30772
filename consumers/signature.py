"""Whether a function can be the task its options describe. Raises `ValueError` saying what to change."""

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from consumers.arguments import parameters_after_context, resolved
from consumers.option_names import On
from consumers.options import TaskOptions


def check_function(function: Callable[..., Any], settings: TaskOptions) -> None:
    """Check the function and the options that only make sense together."""
    if not callable(function):
        raise ValueError(f"wanted a function, not {function!r:.60}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ValueError(
            "a generator cannot be a task: return the result, or split the work with ctx.enqueue"
        )
    if settings.isolation is not None and inspect.iscoroutinefunction(function):
        raise ValueError(f"isolation={settings.isolation!r} is for `def` tasks; this one is `async def`")
    if settings.memory_limit_bytes is not None and settings.isolation != "process":
        raise ValueError("memory_limit= needs isolation='process': threads share the worker's memory")
    parameters = parameters_after_context(function)
    if settings.on:
        _check_event_task(function, parameters, settings)
    else:
        _check_plain_task(settings)


def topic_and_pattern(on: On, topic: str | None) -> tuple[str, str]:
    """Where the event is and which types it stands for."""
    own_topic = None if isinstance(on, str) else getattr(on, "topic", None)
    where = topic or own_topic
    if not where:
        what = repr(on) if isinstance(on, str) else on.__name__
        raise ValueError(f"on={what} needs its topic: give topic=…")
    return where, on if isinstance(on, str) else on.type


def _check_event_task(
    function: Callable[..., Any], parameters: list[inspect.Parameter], settings: TaskOptions
) -> None:
    needed = [p for p in parameters if p.default is inspect.Parameter.empty and p.kind is not p.VAR_KEYWORD]
    if not parameters or len(needed) > 1 or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise ValueError("a task on events takes the context and the event: `(ctx: Context, event)`")
    wanted = resolved(function, parameters[:1])[parameters[0].name]
    for on in settings.on:
        if isinstance(on, str) and isinstance(wanted, type) and issubclass(wanted, BaseModel):
            raise ValueError(
                f"on={on!r} hands over the envelope, but the event is annotated {wanted.__name__}: "
                f"use on={wanted.__name__}, or annotate CloudEvent"
            )
        if not isinstance(on, str) and not issubclass(on, BaseModel):
            raise ValueError(f"on={on.__name__}: wanted a DomainEvent class")


def _check_plain_task(settings: TaskOptions) -> None:
    for name in ("topic", "when"):
        if getattr(settings, name):
            raise ValueError(f"{name}= is for tasks on events; this one names no event with on=")
    if settings.idempotency_key is not None:
        raise ValueError(
            "idempotency_key= is for tasks on events; a plain task gets it when it is enqueued: "
            "task.options(idempotency_key=…)"
        )
