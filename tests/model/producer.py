"""aiokafka's producer over the simulated broker: accepted at once, acknowledged when the history says so."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.model.worker import SimWorker


class SimBatch(list[Any]):
    """A batch under construction."""

    def append(  # type: ignore[override]
        self, *, key: bytes | None, value: bytes | None, timestamp: int | None, headers: Any = ()
    ) -> object:
        super().append((key, value, headers))
        return self

    def record_count(self) -> int:
        return len(self)


class SimProducer:
    """A producer of one worker; `name` tells its lanes apart."""

    def __init__(self, worker: "SimWorker", name: str) -> None:
        self._worker, self._name = worker, name
        cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0})
        self.client = SimpleNamespace(cluster=cluster)

    def create_batch(self) -> SimBatch:
        return SimBatch()

    async def send_batch(self, batch: SimBatch, topic: str, *, partition: int) -> Any:
        records, kafka = list(batch), self._worker.kafka

        def apply() -> Any:
            offsets = [kafka.append(topic, partition, *record) for record in records]
            return SimpleNamespace(offset=offsets[0] if offsets else -1)

        return self._worker.request((self._name, topic, partition), apply)

    async def send(
        self, topic: str, value: bytes | None, *, key: bytes | None, headers: Any, partition: Any = None
    ) -> Any:
        kafka = self._worker.kafka
        return self._worker.request(
            (self._name, topic, 0), lambda: kafka.append(topic, 0, key, value, headers)
        )

    async def stop(self) -> None:
        pass
