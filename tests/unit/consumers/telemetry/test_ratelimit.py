import logging

from consumers.telemetry.ratelimit import MAX_TEMPLATES, RateLimited
from tests.unit.consumers.telemetry.clock import Clock


def record(template: str, name: str = "aiokafka.conn") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "conn.py", 1, template, None, None)


def test_one_line_per_template_and_what_was_dropped(clock: Clock) -> None:
    limited = RateLimited(("aiokafka",), monotonic=clock.monotonic)
    assert [limited.filter(record("lost %s")) for _ in range(4)] == [True, False, False, False]
    assert limited.filter(record("found %s"))
    clock.advance(5)
    passed = record("lost %s")
    assert limited.filter(passed)
    assert passed.__dict__["dropped"] == 3


def test_other_loggers_pass(clock: Clock) -> None:
    limited = RateLimited(("aiokafka",), monotonic=clock.monotonic)
    assert all(limited.filter(record("busy", "my.app")) for _ in range(3))


def test_templates_made_on_the_fly_do_not_fill_the_memory(clock: Clock) -> None:
    limited = RateLimited(("aiokafka",), monotonic=clock.monotonic)
    for index in range(3 * MAX_TEMPLATES):
        limited.filter(record(f"connection {index}"))
    assert len(limited._seen) <= MAX_TEMPLATES
