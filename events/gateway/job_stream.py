"""The changes of one job as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from events.status.reader import StatusReader
from schemas.status import JobStatus

HEARTBEAT_SECONDS: Final = 15.0
AGAIN_MS: Final = 2_000
LONGEST_SECONDS: Final = 3600.0
_STOP_LOOK_SECONDS: Final = 0.5


async def follow(
    reader: StatusReader, first: JobStatus, known: str | None, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    """Events until the job ends, is forgotten, or the gateway stops. `known` is the id of the last one seen.

    A comment every 15 s keeps the connection; the client comes back 2 s after it breaks.
    """
    yield f"retry: {AGAIN_MS}\n\n".encode()
    status: JobStatus | None = first
    quiet_since = began = time.monotonic()
    with reader.waiting.for_job(first.job_id) as changed:
        while status is not None:
            if (id := event_id(status)) != known:
                yield f"id: {id}\nevent: status\ndata: {status.model_dump_json()}\n\n".encode()
                known, quiet_since = id, time.monotonic()
            if status.finished or stopping.is_set() or time.monotonic() - began > LONGEST_SECONDS:
                return
            await changed(_STOP_LOOK_SECONDS)
            if time.monotonic() - quiet_since >= HEARTBEAT_SECONDS:
                yield b": still here\n\n"
                quiet_since = time.monotonic()
            status = reader.known(first.job_id) or status


def event_id(status: JobStatus) -> str:
    """Equal for equal states of a job."""
    return f"{status.revision}-{status.state}"
