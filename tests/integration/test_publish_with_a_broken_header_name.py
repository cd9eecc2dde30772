"""A header name that is not UTF-8, as other clients may write it, stops no reader."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from events.log_reader import LogReader
from events.settings import ClientSettings
from tests.integration.conftest import MakeTopic
from tests.unit.events.test_header_names import RawName


async def test_records_around_it_are_read(
    broker: str, app_id: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make_topic()
    monkeypatch.setattr(message_accumulator, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    async with AIOKafkaProducer(bootstrap_servers=broker, compression_type="zstd") as producer:
        batch = producer.create_batch()
        for name in ("good", RawName("bad"), "good"):
            batch.append(key=None, value=b"v", timestamp=None, headers=[(name, b"1")])
        await (await producer.send_batch(batch, topic, partition=0))
    async with LogReader(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as reader:
        names = [record.headers[0][0] async for record in reader.read([topic])]
    assert names == ["good", "x��", "good"]
