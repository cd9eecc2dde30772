from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from events.header_names import mend_header_names


class RawName(str):
    """A header name that is written as bytes which are not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"x\xff\xfe"


def batch(first_offset: int, *names: str, compression: int = 0) -> bytes:
    """One batch, a record for each header name."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 100_000)
    for number, name in enumerate(names):
        builder.append(number, timestamp=7, key=b"k", value=b"v", headers=[(name, b"1"), ("n", None)])
    return first_offset.to_bytes(8, "big") + bytes(builder.build())[8:]


def unpack(data: bytes, *, start: int = 0) -> list[tuple[int, Any]]:
    records = fetcher.PartitionRecords(
        TopicPartition("t", 0), fetcher.MemoryRecords(data), None, start, None, None, True, 0
    )
    return [(record.offset, record.headers) for record in records]


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    # Registers both for restoring.
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    monkeypatch.setattr(fetcher.PartitionRecords, "_unpack_records", fetcher.PartitionRecords._unpack_records)
    mend_header_names()
    mend_header_names()


@pytest.mark.parametrize("compression", [0, 1, 4])
def test_a_name_that_is_not_utf_8_does_not_stop_its_partition(compression: int) -> None:
    data = batch(0, "good", RawName("bad"), "good", compression=compression) + batch(3, "é")
    expected = [(0, "good"), (1, "x��"), (2, "good"), (3, "é")]
    assert unpack(data) == [(offset, ((name, b"1"), ("n", None))) for offset, name in expected]


def test_what_was_asked_for_before_is_not_given_again() -> None:
    assert [offset for offset, _ in unpack(batch(0, "a", RawName("b"), "c"), start=2)] == [2]


def test_stock_aiokafka_still_needs_the_mend() -> None:
    records = fetcher.MemoryRecords(batch(0, RawName("bad")))
    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch())
