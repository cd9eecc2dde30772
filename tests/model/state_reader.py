"""The plain consumer with which an owner reads its state topics again, over the simulated broker."""

from typing import Any

from tests.model.kafka import Kafka


class SimStateReader:
    """Stands in for `events.connecting.reading`. `kafka` is that of the world being played."""

    kafka: Kafka

    def __init__(self, settings: Any, role: str) -> None:
        self._at = 0

    async def __aenter__(self) -> "SimStateReader":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def assign(self, tps: list[Any]) -> None:
        pass

    async def end_offsets(self, tps: list[Any]) -> dict[Any, int]:
        return {tp: self.kafka.end(tp.topic, tp.partition) for tp in tps}

    def seek(self, tp: Any, offset: int) -> None:
        self._at = offset

    async def position(self, tp: Any) -> int:
        return self._at

    async def getmany(self, tp: Any, timeout_ms: int) -> dict[Any, list[Any]]:
        records = self.kafka.logs[tp.topic, tp.partition][self._at : self._at + 5]
        self._at += len(records)
        return {tp: records}
