"""How far the workers' group is behind its topics, asked of Kafka."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from events.errors import BrokerDown
from events.gateway.pages.source import LagLine
from events.pending import committed_offsets
from events.settings import ClientSettings


async def read_lags(settings: ClientSettings) -> Sequence[LagLine]:
    """Records behind, by topic. Raises BrokerDown."""
    committed = await committed_offsets(settings)
    if not committed:
        return ()
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, **settings.kafka_arguments())
    try:
        await consumer.start()
        ends = await consumer.end_offsets(list(committed))
    except KafkaError as error:
        raise BrokerDown(f"Kafka does not say where its topics end: {error!r}") from error
    finally:
        await consumer.stop()
    behind: dict[str, int] = {}
    for place, offset in committed.items():
        behind[place.topic] = behind.get(place.topic, 0) + max(0, ends[place] - offset)
    return [LagLine(topic, records, None) for topic, records in sorted(behind.items())]
