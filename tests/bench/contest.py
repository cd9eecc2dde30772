"""Who competes in which row, and how each was set up.

A contender is a command that starts one worker process. What it has to do is in its environment (`Duty`);
what it did it writes into a tally file, in the same way for everybody (`tally`).
"""

import enum
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

IO_SECONDS: Final = 0.1
MAX_JOBS: Final = 1000
LATENCY_PER_SECOND: Final = 100
_PREFIX: Final = "BENCH_"


class Row(enum.StrEnum):
    """What is measured."""

    EMPTY = "empty_jobs_per_second"
    IO = "io_jobs_per_second"
    LATENCY = "latency_ms"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What a worker process is told through its environment."""

    row: Row
    topic: str
    group: str
    tally: str
    bootstrap_servers: str = ""
    redis_port: str = ""

    def environment(self) -> dict[str, str]:
        """The variables a worker reads it back from."""
        return {_PREFIX + name.upper(): str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """What this process was told. Raises KeyError outside a bench."""
        values = {name: environment[_PREFIX + name.upper()] for name in cls.__dataclass_fields__}
        return cls(row=Row(values.pop("row")), **values)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way of running jobs. `settings` says in print what was tuned."""

    name: str
    feed: Literal["kafka", "redis"]
    command: tuple[str, ...]
    rows: tuple[Row, ...]
    settings: str

    @property
    def is_headrace(self) -> bool:
        return self.name == "headrace"


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


_WORKERS: Final = "tests.bench.workers"
_EVERY_ROW: Final = (Row.EMPTY, Row.IO, Row.LATENCY)

CONTENDERS: Final = (
    Contender(
        name="headrace",
        feed="kafka",
        command=_python("-c", "from consumers.cli import main; main()", "worker"),
        rows=_EVERY_ROW,
        settings="production defaults",
    ),
    Contender(
        name="faust",
        feed="kafka",
        command=_python(
            "-m", f"{_WORKERS}.bare_faust", "--loop", "uvloop", "worker", "--without-web", "-l", "warn"
        ),
        rows=_EVERY_ROW,
        settings="uvloop, raw bytes, no web or leader, big buffer and polls; concurrency 1000 for I/O",
    ),
    Contender(
        name="arq",
        feed="redis",
        command=_python("-m", f"{_WORKERS}.arq_worker"),
        rows=_EVERY_ROW,
        settings="uvloop, hiredis, max_jobs 1000, poll_delay 10 ms, keep_result 0, no log lines",
    ),
    Contender(
        name="aiokafka",
        feed="kafka",
        command=_python("-m", f"{_WORKERS}.bare_aiokafka"),
        rows=_EVERY_ROW,
        settings="uvloop, getmany of up to 10,000, auto commit; 1000 tasks at once for I/O",
    ),
    Contender(
        name="celery",
        feed="redis",
        command=_python(
            *(
                "-m",
                "celery",
                "-A",
                f"{_WORKERS}.celery_worker",
                "worker",
                "--concurrency",
                "1",
            ),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "warning"),
        ),
        rows=(Row.LATENCY,),
        settings="redis, prefork of 1, prefetch 64, results ignored, no gossip, mingle or heartbeat",
    ),
)
