from typing import Any

from events.dead_letters import letter_of, redrive_record
from schemas.deadletter import DeadLetterHeader

HEADERS: list[tuple[str, bytes | None]] = [
    ("ce_id", b"17"),
    ("blob", b"\xff"),
    ("headrace-reason", b"exhausted"),
    ("headrace-job-id", b"j"),
    ("headrace-attempts", b"5"),
    ("headrace-origin-offset", b"many"),
    ("headrace-exception-message", b"bad \xff byte"),
]


class Record:
    topic, partition, offset = "app.flights.dlq", 3, 42
    key, value, headers = b"k", b"\x00v", HEADERS


def test_a_letter_says_what_happened_whatever_its_headers_hold() -> None:
    letter = letter_of(Record(), "flights")
    expected: dict[str, Any] = {
        "source": "flights",
        "topic": "app.flights.dlq",
        "partition": 3,
        "offset": 42,
        "reason": "exhausted",
        "job_id": "j",
        "attempts": 5,
        "origin_offset": "many",
        "exception_message": "bad � byte",
    }
    assert letter.as_json() == expected
    assert letter.job_id == "j"
    assert letter.fact(DeadLetterHeader.TASK) == ""
    assert letter.original_headers == (("ce_id", b"17"), ("blob", b"\xff"))


def test_a_redrive_carries_the_letter_untouched_to_its_partition() -> None:
    record = redrive_record(letter_of(Record(), "flights"), app_id="app", command_id="c1")
    assert (record.topic, record.partition, record.key, record.value) == (
        "app.flights.commands",
        3,
        b"k",
        b"\x00v",
    )
    assert list(record.headers) == [
        *HEADERS,
        ("headrace-command", b"redrive"),
        ("headrace-command-id", b"c1"),
    ]
