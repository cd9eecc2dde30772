import io
import json
import logging
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from consumers.telemetry.logs import WARNING_ONLY, configure, current_job, job_logger
from tests.unit.consumers.telemetry.jobs import TRACE, job


class Log(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in WARNING_ONLY:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def configured(log_format: str = "json", log_level: str = "INFO") -> Log:
    log = Log()
    settings: Any = SimpleNamespace(log_format=log_format, log_level=log_level)
    configure(settings, stream=log)
    return log


def test_production_writes_json_with_time_and_level() -> None:
    log = configured("auto")
    structlog.get_logger("headrace").info("worker_ready", partitions=3)
    (line,) = log.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "worker_ready", "partitions": 3, "level": "info", "logger": "headrace"}


def test_a_terminal_gets_columns() -> None:
    log = configured("console")
    structlog.get_logger().info("worker_ready", partitions=3)
    assert "worker_ready" in log.getvalue()
    assert "partitions=3" in log.getvalue()


def test_every_line_inside_a_handler_says_which_job() -> None:
    log = configured()
    token = current_job.set(job(traced=True))
    structlog.get_logger().info("sent")
    logging.getLogger("my.app").warning("sent %s", "twice")
    current_job.reset(token)
    structlog.get_logger().info("afterwards")
    ours, stdlib, after = log.lines()
    for line in (ours, stdlib):
        assert (line["job_id"], line["task"], line["trace_id"]) == ("job-1", "notify", TRACE)
        assert (line["topic"], line["partition"], line["offset"]) == ("flights", 2, 41)
    assert stdlib["event"] == "sent twice"
    assert "job_id" not in after


def test_a_jobs_own_logger_knows_it_anywhere() -> None:
    log = configured()
    job_logger(job()).info("halfway", percent=50)
    (line,) = log.lines()
    assert (line["job_id"], line["percent"]) == ("job-1", 50)


@pytest.mark.parametrize(("level", "said"), [("INFO", ["bad"]), ("ERROR", []), ("DEBUG", ["detail", "bad"])])
def test_libraries_speak_from_warning_on(level: str, said: list[str]) -> None:
    log = configured(log_level=level)
    logging.getLogger("aiokafka.conn").debug("detail")
    logging.getLogger("aiokafka.conn").warning("bad")
    assert [line["event"] for line in log.lines()] == said


def test_secrets_stay_out_of_both_kinds_of_line() -> None:
    log = configured()
    structlog.get_logger().info("calling", api_key="abc", url="smtp://me:hush@host")
    logging.getLogger("my.app").error("sent Authorization: Bearer abcdef123456")
    assert "abc" not in log.getvalue()
    assert "hush" not in log.getvalue()


def test_what_json_cannot_hold_is_still_logged() -> None:
    log = configured()
    structlog.get_logger().info("odd", thing=object(), table={1: b"\xff"})
    assert log.lines()[0]["event"] == "odd"


def test_exceptions_and_warnings_arrive() -> None:
    log = configured()
    try:
        raise ValueError("no such gate")
    except ValueError:
        structlog.get_logger().exception("broken")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("soon gone", UserWarning, stacklevel=1)
    broken, warned = log.lines()
    assert "ValueError: no such gate" in broken["exception"]
    assert "soon gone" in warned["event"]


def test_configuring_twice_does_not_double_the_lines() -> None:
    configured()
    log = configured()
    logging.getLogger("my.app").error("once")
    assert len(log.lines()) == 1
