"""Kafka as the model knows it: logs that only grow, a group that hands partitions out, requests on their way.

A request has an effect on the broker, then an answer; a history may lose either.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from faust.types import TP

from schemas.state import header_of, is_fence, writer_of

if TYPE_CHECKING:
    from tests.model.worker import SimWorker

TOPIC = "orders"
APP = "app"
RETRY, LEDGER, DLQ = f"{APP}.{TOPIC}.retry", f"{APP}.{TOPIC}.ledger", f"{APP}.{TOPIC}.dlq"


class Record(NamedTuple):
    """A record as aiokafka hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any
    timestamp_type: int = 0
    checksum: int | None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0


class Fold:
    """What an independent reader makes of a state partition: the last fence's writer is the one that
    counts."""

    def __init__(self) -> None:
        self.writer: int | None = None
        self.term = 0
        self.values: dict[bytes, bytes] = {}
        self.written: set[tuple[bytes, int, int]] = set()  # (id, writer, revision), foreign ones too

    def add(self, key: bytes, value: bytes | None, headers: Any) -> None:
        writer = writer_of(value, headers)
        if is_fence(key):
            if value is not None and header_of(value)[0] >= self.term:
                self.writer, self.term = writer, header_of(value)[0]
            return
        if value is not None:
            self.written.add((key, writer, header_of(value)[3]))
        if self.writer is not None and writer != self.writer:
            return
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value


class Request:
    """Something a worker asked the broker for. `lane`: requests of one are done in order."""

    __slots__ = ("answer", "apply", "done", "future", "lane")

    def __init__(self, lane: Any, apply: Callable[[], Any], future: Any) -> None:
        self.lane, self.apply, self.future = lane, apply, future
        self.done, self.answer = False, None

    def happen(self) -> None:
        """The broker does it."""
        if not self.done:
            self.done, self.answer = True, self.apply()

    def reply(self, error: Exception | None = None) -> None:
        """The worker hears of it."""
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.answer)


class Kafka:
    """The broker."""

    def __init__(self, partitions: int, now_ms: Callable[[], int]) -> None:
        self.partitions = partitions
        self.now_ms = now_ms
        self.logs: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.folds: dict[tuple[str, int], Fold] = defaultdict(Fold)
        self.group = Group(partitions)
        self.appended: Callable[[Record], None] = lambda record: None

    def append(self, topic: str, partition: int, key: Any, value: Any, headers: Any) -> int:
        log = self.logs[topic, partition]
        record = Record(topic, partition, len(log), self.now_ms(), key, value, tuple(headers or ()))
        log.append(record)
        if topic in (RETRY, LEDGER):
            self.folds[topic, partition].add(key, value, record.headers)
        self.appended(record)
        return record.offset

    def end(self, topic: str, partition: int) -> int:
        return len(self.logs[topic, partition])


class Group:
    """The consumer group: who owns what, in which generation, and what is committed."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.generation = 0
        self.members: list[SimWorker] = []
        self.owners: dict[int, SimWorker] = {}
        self.committed: dict[TP, int] = {}
        self.joined: dict[SimWorker, Any] = {}
        self.heard: dict[SimWorker, float] = {}  # when a member last sent something
        self.rebalancing = False
        self.turn = 0
        self.committing: Callable[[TP, int], None] = lambda tp, offset: None

    def add(self, worker: "SimWorker", now: float) -> None:
        self.members.append(worker)
        self.heard[worker] = now
        self.rebalance()

    def remove(self, worker: "SimWorker") -> None:
        """A member left, or its session ended."""
        self.members.remove(worker)
        promise = self.joined.pop(worker, None)
        if promise is not None and worker.alive:
            promise.set_result(None)  # unknown member: it joins anew
        self.owners = {number: owner for number, owner in self.owners.items() if owner is not worker}
        self.rebalance()

    def rebalance(self) -> None:
        self.rebalancing = True
        self.turn += 1

    def join(self, worker: "SimWorker", promise: Any) -> None:
        self.joined[worker] = promise

    def complete(self) -> None:
        """Hand out partitions once every member has joined."""
        if not self.rebalancing or not self.members or len(self.joined) < len(self.members):
            return
        self.rebalancing = False
        self.generation += 1
        self.owners = {
            number: self.members[(number + self.turn) % len(self.members)]
            for number in range(self.partitions)
        }
        joined, self.joined = self.joined, {}
        for worker, promise in joined.items():
            owned = {number for number, owner in self.owners.items() if owner is worker}
            if not promise.done():
                promise.set_result((owned, self.generation))

    def commit(self, worker: "SimWorker", generation: int, offsets: dict[TP, int]) -> bool:
        """Returns False, as Faust's thread does, for a member of an older generation."""
        if worker not in self.members or generation != self.generation:
            return False
        for tp, offset in offsets.items():
            self.committing(tp, offset)
            self.committed[tp] = offset
        return True
