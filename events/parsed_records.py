"""Records as aiokafka's parser made them: a copy of each as `ConsumerRecord` costs as much as parsing it."""

from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords

_stock_consumer_record = PartitionRecords._consumer_record


def as_parsed(consumer: Any) -> None:
    """Let a started consumer give records as parsed: key, value, headers, timestamp and offset.

    Where they are from is told by the partition they come under.
    """
    PartitionRecords._consumer_record = _consumer_record
    consumer._fetcher._key_deserializer = as_parsed


def _consumer_record(self: Any, tp: Any, record: Any) -> Any:
    return record if self._key_deserializer is as_parsed else _stock_consumer_record(self, tp, record)
