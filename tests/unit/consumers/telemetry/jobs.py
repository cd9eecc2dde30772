"""Jobs for the telemetry's tests: as the engine makes them, of a task that only has a name."""

from types import SimpleNamespace
from typing import Any

from consumers.engine.job import Job
from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW_MS = 1_700_000_000_000


def job(
    name: str = "notify",
    *,
    waited_ms: int = 0,
    traced: bool = False,
    known: bool = True,
    log_args: bool = False,
) -> Job:
    """A job published, due and started `waited_ms` apart, the start being NOW_MS."""
    extensions = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"} if traced else {}
    task: Any = SimpleNamespace(name=name, is_plain=True, settings=SimpleNamespace(log_args=log_args))
    made = Job(
        id="job-1",
        task=task if known else None,
        task_name=name,
        event=CloudEvent(type="flight.departed", source="/nyc", id="event-1", extensions=extensions),
        raw=RawRecord(b"N1", b"{}", (), NOW_MS - waited_ms),
        position=Position("flights", 2, 41),
        source="flights",
    )
    made.started_ms = NOW_MS
    return made
