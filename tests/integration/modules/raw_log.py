"""What tasks write down about themselves: a line for each fact, in a file that outlives their worker."""

import os
import time
from typing import Any

import orjson

from consumers import Context

TOPIC = os.environ["TEST_TOPIC"]
_file = os.open(os.environ["RAW_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def note(ctx: Context, what: str, **facts: Any) -> None:
    """One write, so that a kill leaves a whole line or none."""
    line = {"what": what, "task": ctx.task, "job_id": ctx.job_id, "attempt": ctx.attempt, **facts}
    line |= {"event_id": ctx.event.id, "at": time.time(), "pid": os.getpid()}
    os.write(_file, orjson.dumps(line) + b"\n")


def note_of_worker(what: str, **facts: Any) -> None:
    """A line that is about no job."""
    os.write(_file, orjson.dumps({"what": what, **facts, "at": time.time(), "pid": os.getpid()}) + b"\n")
