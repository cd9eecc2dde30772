"""The CloudEvents every Kafka contender reads, binary mode, all ids different, keys spread evenly."""

import datetime as dt
import time
import uuid
from typing import Final, NamedTuple

import orjson

PARTITIONS: Final = 6
# A multiple of PARTITIONS, so that one key stays in one partition; more than any contender runs at once.
KEYS: Final = 24_000
SOURCE: Final = "/bench"
TYPE: Final = "bench.happened"

Headers = list[tuple[str, bytes]]


class Record(NamedTuple):
    """One record as it goes to Kafka."""

    partition: int
    key: bytes
    value: bytes
    headers: Headers


def record(number: int) -> Record:
    """The record of event `number`."""
    return Record(number % PARTITIONS, key(number), message(number), headers(uuid.uuid4()))


def key(number: int) -> bytes:
    return b"N%05dNY" % (number % KEYS)


def message(number: int) -> bytes:
    """The JSON a handler gets: `sent_ns` is now."""
    return orjson.dumps(
        {
            "number": number,
            "sent_ns": time.time_ns(),
            "carrier": "UA",
            "origin": "EWR",
            "dest": "IAH",
            "delay": 2.0,
        }
    )


def headers(identity: uuid.UUID) -> Headers:
    """The attributes of one CloudEvent as Kafka headers."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(identity).encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", TYPE.encode()),
        ("ce_time", dt.datetime.now(dt.UTC).isoformat().encode()),
        ("content-type", b"application/json"),
    ]
