"""What tasks write down about themselves, outside Kafka and their worker: one line for each fact.

Every process appends to a file of its own, so a kill leaves whole lines and a frozen worker's are known.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

START = "start"
END = "end"
EFFECT = "effect"

FOLDER = "CHAOS_RAW_LOGS"
WORKER = "HEADRACE_WORKER_NAME"


class Line(NamedTuple):
    """`of` is what the work is for: an event's id or a key. `fact` is how it ended, or which effect."""

    what: str
    at: float
    task: str
    job_id: str
    attempt: int
    of: str
    fact: Any
    worker: str = ""


class RawLog:
    """The file of this process."""

    def __init__(self) -> None:
        path = Path(os.environ[FOLDER], f"{os.environ[WORKER]}.log")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, what: str, task: str, job_id: str, attempt: int, of: str, fact: Any = None) -> None:
        os.write(self._file, orjson.dumps([what, time.time(), task, job_id, attempt, of, fact]) + b"\n")


def lines_of(folder: Path) -> Iterator[Line]:
    """Everything every worker wrote, each worker's lines in their order."""
    for path in sorted(folder.glob("*.log")):
        for line in path.read_bytes().splitlines():
            yield Line(*orjson.loads(line), worker=path.stem)


class Progress:
    """How far a worker's file has got, read on the way."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.started = 0
        self.ended = 0

    @property
    def running(self) -> int:
        return self.started - self.ended

    def look(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        self._read += len(content)
        self.started += content.count(b'["start",')
        self.ended += content.count(b'["end",')
