"""Facts about flights, kept so that a repeat changes nothing.

A counter that is raised per event counts a redelivered event twice. So nothing is counted while events come
in: each worker appends what it saw to a file of its own, and whoever wants a number reads all files and
takes every (event source, event id) once. Redelivery, replay and a partition that moved therefore leave
every number as it was, no two workers ever write one file, and no lock is needed, so the folder may be a
shared network volume.
"""

import asyncio
import datetime as dt
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

_ENDING: Final = ".jsonl"


@dataclass(frozen=True, slots=True)
class FlightFact:
    """One thing that happened to one flight. `kind` is departed, arrived or cancelled."""

    source: str
    event_id: str
    day: dt.date
    carrier: str
    kind: str
    delay_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    day: dt.date
    line: bytes
    durable: asyncio.Future[None]


class FactJournal:
    """Appends facts to files of this process alone, one a day of flights, many facts with one fsync."""

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder
        self._writer = uuid.uuid4().hex
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, fact: FlightFact) -> None:
        """Return when the fact is on disk. Raises OSError when it could not be written."""
        waiting = _Waiting(fact.day, _line(fact), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_groups())
        await waiting.durable

    async def _write_groups(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._write(group)
        finally:
            self._writing = None

    async def _write(self, group: list[_Waiting]) -> None:
        failure: OSError | None = None
        try:
            await asyncio.to_thread(self._append, group)
        except OSError as error:
            failure = error
            # The file may end in half a line: leave it as it is and go on in a new one.
            self._writer = uuid.uuid4().hex
        for waiting in group:
            if waiting.durable.done():  # its job timed out meanwhile
                continue
            if failure:
                waiting.durable.set_exception(failure)
            else:
                waiting.durable.set_result(None)

    def _append(self, group: list[_Waiting]) -> None:
        for day in {waiting.day for waiting in group}:
            path = self._folder / day.isoformat() / f"{self._writer}{_ENDING}"
            lines = b"".join(waiting.line for waiting in group if waiting.day == day)
            new = not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            if new:
                _sync_folder(path.parent)
                _sync_folder(path.parent.parent)


def _sync_folder(folder: Path) -> None:
    """A new name survives a power cut only once its folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def facts_of(folder: Path, day: dt.date) -> Iterator[FlightFact]:
    """Every fact known of a day, each event once, whoever wrote it down and how often."""
    seen: set[tuple[str, str]] = set()
    for file in sorted((folder / day.isoformat()).glob(f"*{_ENDING}")):
        for fact in _facts_in(file, day):
            if (fact.source, fact.event_id) not in seen:
                seen.add((fact.source, fact.event_id))
                yield fact


def _facts_in(file: Path, day: dt.date) -> Iterator[FlightFact]:
    for line in _whole_lines(file.read_bytes().splitlines(keepends=True)):
        source, event_id, carrier, kind, delay_minutes = orjson.loads(line)
        yield FlightFact(source, event_id, day, carrier, kind, delay_minutes)


def _whole_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    # Half a line is a write that was never acknowledged: its job runs again and writes it elsewhere.
    return (line for line in lines if line.endswith(b"\n"))


def _line(fact: FlightFact) -> bytes:
    return orjson.dumps(
        [fact.source, fact.event_id, fact.carrier, fact.kind, fact.delay_minutes],
        option=orjson.OPT_APPEND_NEWLINE,
    )
