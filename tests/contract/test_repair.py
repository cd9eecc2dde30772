"""What consumers/engine/repair.py relies on: a plain consumer that seeks, and the layout of a record."""

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from consumers.engine.repair import rewritten
from consumers.engine.statedb import record_writer
from schemas.state import encode_state, header_of
from tests.contract.stock import Stock

stock = Stock("consumers/engine/repair.py")


def test_a_consumer_outside_the_group_reads_as_ours_does() -> None:
    stock.accepts(
        AIOKafkaConsumer.__init__, "bootstrap_servers", "client_id", "enable_auto_commit", "group_id"
    )
    stock.takes(AIOKafkaConsumer.assign, "partitions")
    stock.takes(AIOKafkaConsumer.end_offsets, "partitions")
    stock.takes(AIOKafkaConsumer.seek, "partition", "offset")
    stock.takes(AIOKafkaConsumer.position, "partition")
    stock.takes(AIOKafkaConsumer.getmany, "partitions", "timeout_ms", "max_records")
    stock.has(AIOKafkaConsumer, "start", "stop")


def test_an_offset_sought_is_the_position_before_anything_is_read() -> None:
    stock.says(AIOKafkaConsumer.seek, "self._fetcher.seek_to(partition, offset)")
    stock.says(AIOKafkaConsumer.position, "if not tp_state.has_valid_position:", "return tp_state.position")


@pytest.mark.parametrize("headers", [(), (("headrace-writer", (7).to_bytes(8, "big")),)])
def test_a_consumer_record_names_its_writer(headers: tuple[tuple[str, bytes], ...]) -> None:
    value = None if headers else encode_state({}, writer=7, due_ms=1, revision=2)
    record = ConsumerRecord("t.retry", 0, 3, 5, 0, b"job", value, None, 3, -1, headers)
    stock.holds(record_writer(record) == 7, f"the writer of {record} is not found")


def test_a_record_written_again_names_us_and_keeps_the_rest() -> None:
    value = encode_state({"a": 1}, writer=7, due_ms=1, revision=2)
    ours = rewritten(value, 8)
    stock.holds(header_of(ours)[2] == 8, "the writer stands elsewhere in a record")
    stock.holds(rewritten(ours, 7) == value, "more than the writer was changed")
