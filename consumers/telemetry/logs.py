"""One log: our own lines, those of tasks and those of libraries leave by the same processors.

JSON where a machine reads, columns where a person does. A line written while a job runs, by whichever logger,
says which job it was: the engine sets `current_job` around the handler.
"""

import functools
import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TextIO

import orjson
import structlog
from structlog.typing import Processor

from consumers.telemetry.fields import identity
from consumers.telemetry.ratelimit import RateLimited
from consumers.telemetry.redaction import redact

if TYPE_CHECKING:
    from consumers.engine.job import Job

Fields = MutableMapping[str, Any]

current_job: ContextVar["Job | None"] = ContextVar("current_job", default=None)

CHATTY: Final = ("aiokafka", "faust", "mode", "kafka", "asyncio")
WARNING_ONLY: Final = (
    "consumers.engine",
    *CHATTY,
    "httpx2",
    "httpcore2",
    "aiosmtplib",
    "fsspec",
    "matplotlib",
    "stamina",
)


class LogSettings(Protocol):
    """`log_format` auto is console on a terminal, else json."""

    @property
    def log_format(self) -> Literal["auto", "json", "console"]: ...
    @property
    def log_level(self) -> str: ...


def configure(settings: LogSettings, *, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error). Replaces what was configured before.

    Libraries speak from WARNING on; at log level DEBUG they say everything.
    """
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level]
    last = _last_processors(settings.log_format, stream)
    # Not through logging's own machinery, which costs ten times as much a line.
    structlog.configure(
        processors=[*_FIRST, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=functools.partial(LineLogger, stream),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(level, stream, last)


class LineLogger:
    """The end of the line for structlog: whole lines to a stream, flushed."""

    def __init__(self, stream: TextIO, name: str = "headrace", *_: Any) -> None:
        self.name = name
        self._stream = stream

    def write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = error = critical = msg = log = write


def job_logger(job: "Job") -> Any:
    """A structlog logger whose lines carry the job's identity, wherever it is used: `ctx.log`."""
    return structlog.get_logger("task").bind(**identity(job))


def _configure_libraries(level: int, stream: TextIO, last: list[Processor]) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(RateLimited(CHATTY))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_FIRST, structlog.stdlib.ExtraAdder(allow=("dropped",))],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in WARNING_ONLY:
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))
    logging.captureWarnings(True)


def _add_job(_logger: Any, _method: str, fields: Fields) -> Fields:
    job = current_job.get()
    if job is not None and "job_id" not in fields:
        fields.update(identity(job))
    return fields


_FIRST: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    _add_job,
    structlog.processors.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def _last_processors(log_format: str, stream: TextIO) -> list[Processor]:
    if log_format == "console" or (log_format == "auto" and stream.isatty()):
        plain = structlog.dev.plain_traceback
        renderer: Processor = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)
    else:
        renderer = structlog.processors.JSONRenderer(serializer=_json)
    return [structlog.processors.format_exc_info, redact, renderer]


def _json(fields: Fields, **_: Any) -> str:
    return orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
