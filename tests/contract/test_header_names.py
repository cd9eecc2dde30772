"""What events/header_names.py replaces in aiokafka. What the mend does: tests/unit/events/."""

import inspect

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from events import header_names
from tests.contract.stock import Stock

stock = Stock("events/header_names.py")


def test_a_fetch_makes_its_records_by_the_names_we_replace() -> None:
    stock.says(fetcher.Fetcher, "records = MemoryRecords(part_data[-1])", "PartitionRecords(", "records,")
    stock.has(fetcher, "MemoryRecords")
    stock.sets(fetcher.PartitionRecords, "_records", "next_fetch_offset")
    stock.says(fetcher.PartitionRecords.__init__, "self._records_iterator = self._unpack_records()")


def test_unpacking_passes_over_what_was_given_already() -> None:
    stock.takes(header_names._stock_unpack)
    stock.says(
        header_names._stock_unpack,
        "records = self._records",
        "while records.has_next():",
        "next_batch = records.next_batch()",
        "if record.offset < self.next_fetch_offset:",
        "self.next_fetch_offset = record.offset + 1",
        "yield consumer_record",
    )


def test_the_stock_records_have_what_ours_keep() -> None:
    stock.has(MemoryRecords, "has_next", "next_batch", "size_in_bytes")


def test_the_slow_parser_decodes_nothing_but_header_names() -> None:
    read = _DefaultRecordBatchPy._read_msg
    stock.says(read, "buffer = self._buffer", 'buffer[pos : pos + h_key_len].decode("utf-8")')
    stock.holds(inspect.getsource(read).count(".decode(") == 1, "the parser decodes more than header names")
    stock.takes(_DefaultRecordBatchPy.__init__, "buffer")
    stock.says(
        _DefaultRecordBatchPy._maybe_uncompress, "self._buffer = bytearray(uncompressed)", "self._pos = 0"
    )
    stock.says(_DefaultRecordBatchPy.__iter__, "self._maybe_uncompress()")


def test_the_slow_parser_has_every_name_of_the_fast_one_that_is_used() -> None:
    used = (
        "base_offset",
        "next_offset",
        "is_control_batch",
        "is_transactional",
        "producer_id",
        "validate_crc",
    )
    stock.has(DefaultRecordBatch, *used)
    stock.has(_DefaultRecordBatchPy, *used)
