"""A mend for aiokafka: one record with a header name that is not UTF-8 would stop its partition for ever.

Kafka stores header names as they come; aiokafka's parser raises on such a one, on every attempt. When that
happens the fetched bytes are parsed again by a forgiving parser: what is not UTF-8 becomes U+FFFD.
"""

from collections.abc import Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_stock_unpack: Final = fetcher.PartitionRecords._unpack_records
_MAGIC_AT: Final = 16
_LENGTH_AT: Final = slice(8, 12)
_OVERHEAD: Final = 12


def mend_header_names() -> None:
    """Make every consumer of this process read any header name. Safe to call twice."""
    fetcher.MemoryRecords = _RememberedRecords
    fetcher.PartitionRecords._unpack_records = _unpack_records


def _unpack_records(self: Any) -> Iterator[Any]:
    try:
        yield from _stock_unpack(self)
        return
    except UnicodeDecodeError:
        self._records = _ForgivingRecords(self._records.data)
    # Records already given away are behind `next_fetch_offset`, so they are passed over.
    yield from _stock_unpack(self)


class _RememberedRecords:
    """Stock records that keep the bytes they were made of."""

    __slots__ = ("data", "has_next", "next_batch", "size_in_bytes")

    def __init__(self, data: bytes) -> None:
        records = MemoryRecords(data)
        self.data = data
        self.has_next = records.has_next
        self.next_batch = records.next_batch
        self.size_in_bytes = records.size_in_bytes


class _ForgivingRecords:
    """The same, for batches of the format that has headers; slow, and only for fetches that need it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._stock = MemoryRecords(data)
        self._at = 0

    def has_next(self) -> bool:
        found: bool = self._stock.has_next()
        return found

    def next_batch(self) -> Any:
        batch = self._stock.next_batch()
        start = self._at
        length = int.from_bytes(self._data[start:][_LENGTH_AT], "big")
        self._at += _OVERHEAD + length
        if self._data[start + _MAGIC_AT] < 2:
            return batch  # an old format without headers
        return _ForgivingBatch(self._data[start : self._at])


class _ForgivingBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _ForgivingBytes(self._buffer)


class _ForgivingBytes(bytearray):
    """Bytes whose slices decode whatever they hold; aiokafka decodes nothing but header names."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return found if isinstance(found, int) else _ForgivingBytes(found)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "replace")
