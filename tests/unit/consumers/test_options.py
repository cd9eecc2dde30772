import datetime as dt

import pytest

from consumers.backoff import Fixed
from consumers.option_names import FOREIGN, OURS
from consumers.options import read_options
from schemas.flights import FlightDeparted


def read(**given):
    return read_options(given, function_name="work")


def test_defaults():
    options = read()
    assert options.name == "work"
    assert (options.max_tries, options.timeout_seconds, options.order) == (5, 300.0, "key")
    assert options.retry_on is None
    assert (options.dedupe_ttl_seconds, options.failure_ttl_seconds) == (86_400, 7 * 86_400)


def test_lengths_are_seconds_or_timedeltas():
    options = read(timeout=dt.timedelta(minutes=2), deadline=60, result_ttl=0.5)
    assert (options.timeout_seconds, options.deadline_seconds, options.result_ttl_seconds) == (120, 60, 0.5)
    assert read(timeout=None).timeout_seconds is None


def test_on_is_one_or_many():
    assert read(on="a").on == ("a",)
    assert read(on=[FlightDeparted, "flight.*"]).on == (FlightDeparted, "flight.*")


def test_one_error_class_or_many():
    assert read(retry_on=OSError).retry_on == (OSError,)
    assert read(fail_on=[KeyError, ValueError]).fail_on == (KeyError, ValueError)


def test_on_failure_is_a_task_or_its_name():
    class Named:
        name = "tidy"

    assert read(on_failure="tidy").on_failure == "tidy"
    assert read(on_failure=Named()).on_failure == "tidy"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_retries": 3}, "unknown option 'max_retries': use max_tries"),
        ({"countdown": 3}, "task.options(defer_by=…)"),
        ({"time_limit": 3}, "use timeout"),
        ({"max_tires": 3}, "did you mean 'max_tries'?"),
        ({"zzz": 3}, "there are announce, backoff"),
        ({"rate": "5 a second"}, "rate='5 a second': wanted text such as '10/s'"),
        ({"order": "strict"}, "order='strict': not there yet"),
        ({"order": "fifo"}, "wanted 'key' or 'none'"),
        ({"isolation": "fiber"}, "wanted 'thread' or 'process'"),
        ({"memory_limit": "much"}, "wanted bytes, or text such as '512MB'"),
        ({"memory_limit": "1MB"}, "wanted at least 128MB"),
        ({"memory_limit": 0.5}, "wanted a whole number"),
        ({"timeout": 0}, "timeout=0: wanted more than 0 seconds"),
        ({"timeout": -1}, "timeout=-1: wanted 0 seconds to 100 years"),
        ({"timeout": True}, "timeout=True: wanted seconds or a timedelta"),
        ({"deadline": float("nan")}, "deadline=nan"),
        ({"deadline": "1h"}, "wanted seconds or a timedelta"),
        ({"max_tries": 0}, "max_tries=0: wanted a whole number from 1"),
        ({"max_tries": True}, "wanted a whole number"),
        ({"max_jobs": 1.5}, "wanted a whole number"),
        ({"store_result": "no"}, "wanted True or False"),
        ({"retry_on": "OSError"}, "wanted exception classes"),
        ({"backoff": 5}, "wanted Fixed(5)"),
        ({"backoff": "exponential"}, "wanted Fixed(…), Linear(…) or Exponential(…)"),
        ({"when": True}, "wanted a function of the event"),
        ({"idempotency_key": "order_id"}, "wanted a function of the event, or 'record_key'"),
        ({"on": []}, "empty"),
        ({"on": 5}, "wanted a DomainEvent class"),
        ({"on": dict}, "wanted a DomainEvent class"),
        ({"name": ""}, "wanted printable text"),
        ({"name": "a\nb"}, "wanted printable text"),
        ({"priority": "urgent"}, "wanted 'high' or 'normal' or 'low'"),
        ({"on_failure": 5}, "wanted a plain task or its name"),
        ({"announce": ""}, "wanted True, False or a topic"),
    ],
)
def test_what_is_wrong_is_said(given, said):
    with pytest.raises(ValueError, match=r".") as caught:
        read(**given)
    assert said in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ValueError, match=r"max_tries.*timeout=-1") as caught:
        read(retries=1, timeout=-1)
    assert ";" in str(caught.value)


def test_foreign_names_are_not_ours():
    assert not FOREIGN.keys() & OURS


@pytest.mark.parametrize(
    ("name", "value"),
    [("backoff", Fixed(5)), ("announce", "orders"), ("isolation", "thread"), ("isolation", "process")],
)
def test_good_values_are_kept(name, value):
    assert getattr(read(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("written", "bytes"),
    [("512MB", 512_000_000), (" 1.5 gib ", 3 << 29), (200_000_000, 200_000_000), ("300000KB", 300_000_000)],
)
def test_memory_is_written_as_people_do(written, bytes):
    assert read(memory_limit=written).memory_limit_bytes == bytes
