"""Taking jobs in: the way of one request, and of many, from a checked body to what Kafka answered.

What an Idempotency-Key promises. The key of a caller and route is one job id, so equal requests meet in one
partition of `A.jobs.*`, and the engine runs one of them. The SHA-256 of the body travels in a header of the
record. A replica looks first whether it has read such a record; if not it writes its own and reads the
partition back up to it: the first record of the job id in the partition wins, on every replica alike, so the
loser of a race learns the winner's body and answers 422 when it is another. A replica that has just started
reads back `gateway_idempotency_seconds` (a day) before it takes keys; older keys are forgotten, as are the
oldest beyond `gateway_max_idempotency_keys`. Two bodies of one key that differ in priority and come within
the same moment go to different topics: each may be told 202 then, still one job runs.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from aiokafka import TopicPartition

from events.bulk_sender import BulkSender
from events.errors import BrokerDown, BrokerUnreachable, EventTooLarge, PublishError
from events.gateway.announced import Announced
from events.gateway.problems import Problem, problem
from events.gateway.seen import SeenRequests
from events.gateway.settings import GatewaySettings
from events.gateway.submission import AcceptedState, Prepared
from events.queue_options import PRIORITIES, Priority
from events.tail import Tail
from events.topics import jobs_topic
from schemas.state import Position

RETRY_SECONDS: Final = 2
LOOK_AGAIN_SECONDS: Final = 1


class Taken(NamedTuple):
    """A job that Kafka has, as `submission.Accepted` tells it."""

    job_id: str
    status_url: str
    state: AcceptedState


Result = Taken | Problem


class Intake:
    """Hands checked requests to Kafka, and minds keys and depths."""

    def __init__(
        self,
        settings: GatewaySettings,
        sender: BulkSender,
        announced: Announced,
        seen: SeenRequests,
        tail: Tail,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.announced = announced
        self.now_ms = now_ms
        self._settings = settings
        self._sender = sender
        self._seen = seen
        self._tail = tail

    async def take(self, job: Prepared) -> Taken:
        """Raises a problem unless Kafka has the job."""
        if job.body and self._is_repeat(job):
            return accepted(job)
        self.check_depth(job.task, job.priority)
        if not self._sender.is_connected:
            raise unavailable("The gateway has no connection to Kafka.")
        try:
            position = await self._sender.send(job.record)
        except PublishError as error:
            raise refused(error, self._settings, job_id=job.job_id) from error
        if job.body:
            await self._read_back([position])
            self._is_repeat(job)
        return accepted(job)

    async def take_all(self, jobs: Sequence[Prepared | Problem]) -> list[Result]:
        """What became of each, in their order; a problem that came in comes out."""
        results: list[Result | None] = [None] * len(jobs)
        to_send: list[tuple[int, Prepared]] = []
        asked: dict[tuple[str, Priority], int] = {}
        for index, job in enumerate(jobs):
            if isinstance(job, Problem):
                results[index] = job
                continue
            try:
                if job.body and self._is_repeat(job):
                    results[index] = accepted(job)
                    continue
                lane = job.task, job.priority
                self.check_depth(*lane, more=asked.get(lane, 0))
                asked[lane] = asked.get(lane, 0) + 1
                to_send.append((index, job))
            except Problem as wrong:
                results[index] = wrong
        if to_send and not self._sender.is_connected:
            raise unavailable("The gateway has no connection to Kafka.")
        sent = await self._sender.send_all([job.record for _, job in to_send])
        keyed = [
            at for (_, job), at in zip(to_send, sent, strict=True) if job.body and isinstance(at, Position)
        ]
        if keyed:
            await self._read_back(keyed)
        for (index, job), outcome in zip(to_send, sent, strict=True):
            results[index] = self._result(job, outcome)
        return [result for result in results if result is not None]

    def _result(self, job: Prepared, outcome: Position | PublishError) -> Result:
        if isinstance(outcome, PublishError):
            return refused(outcome, self._settings, job_id=job.job_id)
        try:
            if job.body:
                self._is_repeat(job)
        except Problem as wrong:
            return wrong
        return accepted(job)

    # -- keys

    def _is_repeat(self, job: Prepared) -> bool:
        """Whether the same was asked before. Raises a problem when something else was, under the same key."""
        if not self._tail.ready.is_set():
            raise not_ready("It is still reading which Idempotency-Keys were used.")
        first = self._seen.keys.find(job.job_id, self.now_ms())
        if first is not None and first.body != job.body:
            raise problem(
                "idempotency-key-reused",
                "Another body was sent with this Idempotency-Key before; its job goes on unchanged.",
                job_id=job.job_id,
            )
        return first is not None

    async def _read_back(self, positions: Sequence[Position]) -> None:
        newest: dict[TopicPartition, int] = {}
        for topic, partition, offset in positions:
            place = TopicPartition(topic, partition)
            newest[place] = max(offset, newest.get(place, -1))
        try:
            async with asyncio.timeout(self._settings.gateway_kafka_timeout_seconds):
                for place, offset in newest.items():
                    await self._tail.reached(place, offset)
        except TimeoutError:
            raise unavailable(
                "Kafka has the job, but did not give it back in time to compare it with earlier requests of "
                "the same key. Send the same again."
            ) from None

    # -- depth

    @property
    def has_limits(self) -> bool:
        """Whether any lane may be too deep."""
        return bool(self._settings.gateway_max_depth) or any(
            task.max_depth is not None for task in self.announced.tasks.values()
        )

    def check_depth(self, task: str, priority: Priority, *, more: int = 0) -> None:
        """Raise a problem when the lane of a task and priority holds as many jobs as it may."""
        limits = self._settings.gateway_max_depth
        announced = self.announced.tasks[task].max_depth if task in self.announced.tasks else None
        if not limits and announced is None:
            return
        depths, topic = self._seen.depths, jobs_topic(self._settings.app_id, priority)
        in_lane = depths.of(topic, task) + more
        of_task = sum(depths.of(jobs_topic(self._settings.app_id, each), task) for each in PRIORITIES) + more
        own = limits.get(task, announced)
        for limit, depth in (
            (limits.get(f"{task}/{priority}"), in_lane),
            (own, of_task),
            (limits.get(f"*/{priority}"), depths.of(topic) + more),
        ):
            if limit is not None and depth >= limit:
                raise problem(
                    "too-deep",
                    f"{depth} jobs wait where {limit} may: {task}, priority {priority}.",
                    retry_after=RETRY_SECONDS,
                    depth=depth,
                    limit=limit,
                )


def accepted(job: Prepared) -> Taken:
    """What the caller of a job is told."""
    return Taken(job.job_id, job_url(job.job_id), job.state)


def job_url(job_id: str) -> str:
    """The path of a job's status."""
    is_plain = job_id.isascii() and job_id.replace("-", "").isalnum()
    return f"/jobs/{job_id if is_plain else quote(job_id, safe='')}"


def unavailable(detail: str, **more: object) -> Problem:
    """Kafka is away."""
    return problem("kafka-unavailable", detail, retry_after=RETRY_SECONDS, **more)


def not_ready(detail: str) -> Problem:
    return problem("not-ready", detail, retry_after=LOOK_AGAIN_SECONDS)


def refused(error: Exception, settings: GatewaySettings, **more: object) -> Problem:
    """The problem of an error from publishing."""
    if isinstance(error, EventTooLarge):
        return problem("too-large", str(error), limit_bytes=settings.max_message_bytes)
    if isinstance(error, (BrokerDown, BrokerUnreachable)):
        return unavailable("Kafka did not acknowledge in time. What was sent may still arrive.", **more)
    return problem("kafka-refused", str(error), retry_after=RETRY_SECONDS * 5)
