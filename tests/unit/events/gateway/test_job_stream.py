import asyncio
from typing import Any, cast

import pytest

from events.gateway import job_stream
from events.status.document import status_of
from events.status.reader import StatusReader
from events.status.waiting import Waiting
from schemas.status import JobStatus
from tests.unit.events.status.records import document


def status(state: str, revision: int) -> JobStatus:
    found = status_of("j", {"s": {"jobs/0": {"r": [revision, 0, document(state), 0]}}})
    assert found is not None
    return found


class Reader:
    """What a stream needs of a reader: jobs that change as the test says."""

    def __init__(self, *states: JobStatus | None) -> None:
        self._states = list(states)
        self.waiting = Waiting(dict)

    def known(self, job_id: str) -> JobStatus | None:
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


async def streamed(reader: Reader, first: JobStatus, **given: Any) -> list[str]:
    stopping = given.pop("stopping", asyncio.Event())
    chunks = job_stream.follow(cast(StatusReader, reader), first, given.get("known"), stopping)
    return [chunk.decode() async for chunk in chunks]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_stream, "_STOP_LOOK_SECONDS", 0)


def ids(chunks: list[str]) -> list[str]:
    return [chunk.splitlines()[0].removeprefix("id: ") for chunk in chunks if chunk.startswith("id: ")]


async def test_each_change_is_told_once_until_the_end() -> None:
    running, done = status("running", 1), status("completed", 2)
    chunks = await streamed(Reader(running, running, done), status("pending", 0))
    assert chunks[0] == "retry: 2000\n\n"
    assert ids(chunks) == ["0-pending", "1-running", "2-completed"]


async def test_what_the_client_has_seen_is_not_told_again() -> None:
    chunks = await streamed(Reader(status("completed", 2)), status("running", 1), known="1-running")
    assert ids(chunks) == ["2-completed"]


async def test_a_quiet_job_keeps_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_stream, "HEARTBEAT_SECONDS", 0)
    chunks = await streamed(Reader(status("running", 1), status("completed", 2)), status("running", 1))
    assert ": still here\n\n" in chunks


async def test_a_gateway_that_stops_ends_the_stream() -> None:
    stopping = asyncio.Event()
    stopping.set()
    chunks = await streamed(Reader(status("running", 1)), status("running", 1), stopping=stopping)
    assert ids(chunks) == ["1-running"]


async def test_a_job_that_is_forgotten_ends_with_its_last_state() -> None:
    chunks = await streamed(Reader(None, status("completed", 2)), status("running", 1))
    assert ids(chunks) == ["1-running", "2-completed"]
