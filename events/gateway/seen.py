"""What the gateway remembers of the requests it reads back from `A.jobs.*`: keys used, and depth of lanes.

Every replica reads the same partitions in the same order, so all of them agree on who was first.
"""

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition

BODY_HEADER: Final = "headrace-idempotency"
"""Of a request made with an Idempotency-Key: SHA-256 of its body, hexadecimal."""
SUBJECT_HEADER: Final = "ce_subject"
ID_HEADER: Final = "ce_id"
_UNKNOWN: Final = 0
_MOST_TASKS: Final = 65_000


class First(NamedTuple):
    """The first request of a job id."""

    body: str
    timestamp_ms: int
    place: TopicPartition
    offset: int


class UsedKeys:
    """The first request for each job id that came with an Idempotency-Key, as long as keys are known.

    Bounded: beyond `most` the oldest are forgotten before their time.
    """

    def __init__(self, *, lifetime_ms: int, most: int) -> None:
        self._lifetime_ms = lifetime_ms
        self._most = most
        self._first: OrderedDict[str, First] = OrderedDict()

    def add(self, job_id: str, first: First) -> None:
        known = self._first.get(job_id)
        if known is not None and first.timestamp_ms - known.timestamp_ms < self._lifetime_ms:
            return
        self._first[job_id] = first
        self._first.move_to_end(job_id)
        if len(self._first) > self._most:
            self._first.popitem(last=False)

    def find(self, job_id: str, now_ms: int) -> First | None:
        """The first request, unless its time is over."""
        first = self._first.get(job_id)
        return None if first is None or now_ms - first.timestamp_ms >= self._lifetime_ms else first

    def __len__(self) -> int:
        return len(self._first)


class Depths:
    """How many requests of each task wait in each topic: read, and not yet behind the committed offset.

    Two bytes for each waiting record. What workers run at the moment counts as waiting.
    """

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._logs: dict[TopicPartition, tuple[int, array[int]]] = {}
        self._counts: dict[tuple[str, int], int] = {}
        self._totals: dict[str, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def add(self, place: TopicPartition, requests: Iterable[tuple[int, bytes]]) -> None:
        """The next requests of a partition: the offset and the task of each."""
        done = self._committed.get(place, 0)
        waiting = [(offset, self._number(task)) for offset, task in requests if offset >= done]
        if not waiting:
            return
        base, log = self._logs.setdefault(place, (waiting[0][0], array("H")))
        for offset, number in waiting:
            if offset != base + len(log):
                log.extend([_UNKNOWN] * (offset - base - len(log)))  # offsets of transactions and the like
            log.append(number)
        for number, count in Counter(number for _, number in waiting).items():
            self._count(place.topic, number, count)

    def committed(self, place: TopicPartition, offset: int) -> None:
        """The group has committed up to here."""
        self._committed[place] = offset
        base, log = self._logs.get(place, (offset, array("H")))
        done = min(offset - base, len(log))
        if done <= 0:
            return
        for number, count in Counter(log[:done]).items():
            if number != _UNKNOWN:
                self._count(place.topic, number, -count)
        self._logs[place] = base + done, log[done:]

    def of(self, topic: str, task: str | None = None) -> int:
        """Jobs waiting in a topic, of a task or of all."""
        if task is None:
            return self._totals.get(topic, 0)
        return self._counts.get((topic, self._numbers.get(task.encode(errors="replace"), _UNKNOWN)), 0)

    def _count(self, topic: str, number: int, change: int) -> None:
        at = topic, number
        self._counts[at] = self._counts.get(at, 0) + change
        self._totals[topic] = self._totals.get(topic, 0) + change

    def _number(self, task: bytes) -> int:
        number = self._numbers.get(task)
        if number is None:
            number = min(len(self._numbers) + 1, _MOST_TASKS)
            self._numbers[task] = number
        return number


class SeenRequests:
    """Takes the records of `A.jobs.*` and keeps both; reads their headers, never their values."""

    def __init__(self, keys: UsedKeys, depths: Depths) -> None:
        self.keys = keys
        self.depths = depths

    def take(self, place: TopicPartition, records: Iterable[Any]) -> None:
        """Remember the next records of a partition."""
        requests = []
        for record in records:
            headers = dict(record.headers)
            requests.append((record.offset, headers.get(SUBJECT_HEADER) or b""))
            if body := headers.get(BODY_HEADER):
                job_id = (headers.get(ID_HEADER) or b"").decode(errors="replace")
                first = First(body.decode(errors="replace"), record.timestamp, place, record.offset)
                self.keys.add(job_id, first)
        self.depths.add(place, requests)
