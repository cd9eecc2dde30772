"""Where aiokafka copies what it parsed, and that it does not for a consumer of ours."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from events import parsed_records
from events.parsed_records import as_parsed
from tests.contract.stock import Stock

stock = Stock("events/parsed_records.py")


@pytest.fixture
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mended is restored afterwards."""
    monkeypatch.setattr(
        fetcher.PartitionRecords, "_consumer_record", fetcher.PartitionRecords._consumer_record
    )


def parsed(key_deserializer: Any) -> Any:
    """The only record of a fetch by a consumer with this deserializer."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 10_000)
    builder.append(0, timestamp=7, key=b"k", value=b"v", headers=[("n", b"1")])
    records = MemoryRecords(bytes(builder.build()))
    tp = TopicPartition("t", 0)
    (record,) = fetcher.PartitionRecords(tp, records, None, 0, key_deserializer, None, True, 0)
    return record


def test_a_fetch_makes_records_where_we_cut_in() -> None:
    stock.takes(parsed_records._stock_consumer_record, "tp", "record")
    stock.sets(fetcher.PartitionRecords, "_key_deserializer")
    stock.sets(fetcher.Fetcher, "_key_deserializer")
    stock.says(fetcher.Fetcher, "partition_records = PartitionRecords(", "self._key_deserializer,")


def test_a_consumer_of_ours_gets_records_as_parsed(as_it_was: None) -> None:
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_key_deserializer=None))
    as_parsed(consumer)
    record = parsed(consumer._fetcher._key_deserializer)
    stock.holds(not isinstance(record, ConsumerRecord), "the record was copied")
    found = (record.offset, record.timestamp, record.timestamp_type, record.key, record.value)
    stock.holds(found == (0, 7, 0, b"k", b"v"), f"a parsed record holds {found}")
    stock.holds(list(record.headers) == [("n", b"1")], f"a parsed record has headers {record.headers}")


def test_any_other_consumer_gets_its_consumer_record(as_it_was: None) -> None:
    stock.holds(isinstance(parsed(None), ConsumerRecord), "others do not get a ConsumerRecord")
    stock.holds(parsed(bytes.upper).key == b"K", "the deserializer of others is passed over")
