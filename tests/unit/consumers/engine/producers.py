"""A producer that takes what it is given, or fails as it was told to."""

import asyncio
from types import SimpleNamespace
from typing import Any


class Batch(list[Any]):
    """A batch under construction: room for `room` records."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def append(self, **record: Any) -> object:  # type: ignore[override]
        if len(self) >= self.room:
            return None
        super().append(SimpleNamespace(**record))
        return self

    def record_count(self) -> int:
        return len(self)


class Producer:
    """`errors` are raised by the next batches or records, one each; None lets one pass."""

    def __init__(self, *, room: int = 100, topics: tuple[str, ...] = ("t",)) -> None:
        self.room = room
        self.end = 0
        self.errors: list[Exception | None] = []
        self.batches: list[list[Any]] = []
        self.sent: list[tuple[Any, ...]] = []
        self.client = SimpleNamespace(
            cluster=SimpleNamespace(partitions_for_topic=lambda topic: {0} if topic in topics else None),
            add_topic=lambda topic: None,
            force_metadata_update=self._looked_up,
        )

    def _looked_up(self) -> "asyncio.Future[bool]":
        future = asyncio.get_running_loop().create_future()
        future.set_result(True)
        return future

    def create_batch(self) -> Batch:
        return Batch(self.room)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        answer = self._answer()
        if answer.exception() is None:
            self.batches.append(list(batch))
            answer.result().offset = self.end
            self.end += len(batch)
        return answer

    async def send(
        self, topic: str, value: Any, *, key: Any, headers: Any, partition: Any = None
    ) -> "asyncio.Future[Any]":
        answer = self._answer()
        if answer.exception() is None:
            self.sent.append((topic, key, value, headers))
        return answer

    async def partitions_for(self, topic: str) -> set[int]:
        return {0}

    def _partition(self, topic: str, *_: Any) -> int:
        return 0

    def _answer(self) -> "asyncio.Future[Any]":
        error = self.errors.pop(0) if self.errors else None
        future = asyncio.get_running_loop().create_future()
        if error is None:
            future.set_result(SimpleNamespace(offset=0))
        else:
            future.set_exception(error)
        return future

    async def stop(self) -> None:
        pass
