"""Jobs to hand to a part of the engine, and the tasks they are of."""

from typing import Any

from consumers.definition import Task
from consumers.engine.job import Job
from consumers.engine.records import Pen
from consumers.options import TaskOptions
from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord

NOW_MS = 1_900_000_000_000
PEN = Pen(writer=7, worker="w1", release="r1")


async def _nothing(ctx: Any, event: Any) -> None:
    pass


def a_task(function: Any = _nothing, **options: Any) -> "Task[..., Any]":
    """A task on events, with these options."""
    return Task(function=function, settings=TaskOptions(**{"name": "notify", "on": ("a.b",), **options}))


def a_job(id: str = "j1", *, task: Any = ..., key: bytes | None = b"k", offset: int = 5, **more: Any) -> Job:
    """A job read from `orders`[0] at `offset`; `more` are attributes to set."""
    chosen = a_task() if task is ... else task
    job = Job(
        id=id,
        task=chosen,
        task_name=chosen.name if chosen is not None else "gone",
        event=CloudEvent(id="e1", source="/s", type="a.b"),
        raw=RawRecord(key, b"{}", (("ce_id", b"e1"), ("empty", None)), NOW_MS - 1000),
        position=Position("orders", 0, offset),
        source="orders",
    )
    for name, value in more.items():
        setattr(job, name, value)
    return job
