"""Middleware around an attempt: `async def timing(ctx, call)`, which awaits `call()` and gives its result."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consumers.context import Context
    from consumers.definition import Task

Middleware = Callable[["Context", Callable[[], Awaitable[Any]]], Awaitable[Any]]
Call = Callable[["Context", Any, dict[str, Any]], Any]
RunInThread = Callable[[Callable[[], Any]], Awaitable[Any]]
RunInProcess = Callable[["Context", Any, dict[str, Any]], Awaitable[Any]]


def compose(
    task: "Task[..., Any]",
    middleware: tuple[Middleware, ...],
    run_in_thread: RunInThread | None,
    run_in_process: RunInProcess | None = None,
) -> Call:
    """The call of a task inside all middleware, the first registered outermost."""
    call: Call = task.invoke
    if task.kind == "process" and run_in_process is not None:
        call = run_in_process
    elif task.kind != "async":
        if run_in_thread is not None:
            call = _threaded(task, run_in_thread)
        elif middleware:
            raise ValueError(f"middleware around the thread task {task.name!r} needs run_in_thread")
    for outer in reversed(middleware):
        call = _wrapped(outer, call)
    return call


def _threaded(task: "Task[..., Any]", run_in_thread: RunInThread) -> Call:
    def call(ctx: "Context", payload: Any, args: dict[str, Any]) -> Awaitable[Any]:
        return run_in_thread(partial(task.invoke, ctx, payload, args))

    return call


def _wrapped(outer: Middleware, inner: Call) -> Call:
    def call(ctx: "Context", payload: Any, args: dict[str, Any]) -> Awaitable[Any]:
        return outer(ctx, partial(inner, ctx, payload, args))

    return call
