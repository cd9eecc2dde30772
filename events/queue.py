"""Asking for jobs from any Python program: a client of the jobs topics that imports no task code.

async with JobQueue() as queue:
    job = await queue.enqueue("send_email", to="a@b.example", subject="Hello", body="…")
    await job.result(timeout=30)
"""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, ParamSpec, Self, overload

from aiokafka import TopicPartition
from pydantic_core import to_jsonable_python

from events.commanding import answer_key, command_record
from events.errors import BrokerDown
from events.following import Follower, Place
from events.handle import CLOCK_SKEW_MS, JobHandle
from events.job_status import CommandAnswer, answer_of
from events.log_reader import LogReader
from events.pending import committed_offsets
from events.publisher import Publisher
from events.queue_options import Enqueue, Enqueueable, EnqueueOptions
from events.requests import request_event
from events.settings import ClientSettings
from events.times import now_ms
from events.topics import JOBS, jobs_topic
from events.workflow import Workflow
from events.workflow_requests import step_event, step_topic, workflow_request
from schemas.command import ANSWERS_KEPT_MS, Command
from schemas.state import Position

P = ParamSpec("P")


class JobQueue:
    """Enqueues jobs and looks after them. Use it as an async context manager.

    `timeout_seconds` bounds every wait for Kafka.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        max_message_bytes: int = 1_000_000,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._settings = settings or ClientSettings()
        self._publisher = Publisher(
            self._settings, max_message_bytes=max_message_bytes, timeout_seconds=timeout_seconds
        )
        self._timeout_seconds = timeout_seconds
        self._places: list[Place] = []
        self.follower = Follower(self._settings)

    async def __aenter__(self) -> Self:
        await self._publisher.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.follower.__aexit__(*error)
        await self._publisher.__aexit__(*error)

    @property
    def app_id(self) -> str:
        """What the names of its topics begin with."""
        return self._settings.app_id

    @overload
    async def enqueue(self, task: Enqueueable[P], /, *args: P.args, **kwargs: P.kwargs) -> JobHandle: ...

    @overload
    async def enqueue(self, task: Enqueue[P], /, *args: P.args, **kwargs: P.kwargs) -> JobHandle: ...

    @overload
    async def enqueue(
        self, task: str, args: Mapping[str, Any] | None = None, /, **more: Any
    ) -> JobHandle: ...

    @overload
    async def enqueue(self, task: Workflow, /) -> JobHandle: ...

    async def enqueue(self, task: Any, /, *args: Any, **kwargs: Any) -> JobHandle:
        """Ask for one job and return when Kafka has the request.

        `task` is a task, `task.options(...)`, a name, or a workflow, whose job is its last one. Arguments of
        a task are checked here, those of a name when it runs. Raises PublishError (see `events.errors`), and
        ValueError for arguments that are not JSON.
        """
        if isinstance(task, Workflow):
            return await self._begin(task)
        return await self.request(*self._asked(task, args, kwargs))

    async def enqueue_many(
        self, task: Enqueueable[Any] | Enqueue[Any] | str, arguments: Iterable[Mapping[str, Any]]
    ) -> list[JobHandle]:
        """Ask for one job for each of `arguments`, side by side; all are checked before the first is sent.

        When one fails the first failure is raised after the others ended; they may be stored.
        """
        wanted = [self._asked(task, (), dict(given)) for given in arguments]
        made = [request_event(self.app_id, *each) for each in wanted]
        records = [self._publisher.record(event, topic=topic, key=key) for topic, key, event in made]
        asked_ms = now_ms()
        positions = await self._publisher.send_many(records)
        return [
            self._handle(event.id, position, each[2], asked_ms)
            for each, (_, _, event), position in zip(wanted, made, positions, strict=True)
        ]

    async def request(self, task: str, args: Mapping[str, Any], options: EnqueueOptions) -> JobHandle:
        """The same with everything spelled out: a name, arguments as JSON values, options."""
        topic, key, event = request_event(self.app_id, task, args, options)
        asked_ms = now_ms()
        position = await self._publisher.publish(event, topic=topic, key=key)
        return self._handle(event.id, position, options, asked_ms)

    async def _begin(self, workflow: Workflow) -> JobHandle:
        request = workflow_request(workflow)
        event, asked_ms = step_event(self.app_id, request), now_ms()
        topic, key = step_topic(self.app_id, None), request.job_id.encode()
        position = await self._publisher.publish(event, topic=topic, key=key)
        return JobHandle(request.job_id, position, self, asked_ms=asked_ms, named=workflow.named)

    def job(self, job_id: str, *, position: Position | None = None) -> JobHandle:
        """A job asked for earlier. With the `position` of its handle one partition is read for it, else all
        jobs that are remembered."""
        return JobHandle(job_id, position, self)

    def _handle(self, id: str, position: Position, options: EnqueueOptions, asked_ms: int) -> JobHandle:
        named = options.job_id is not None or options.idempotency_key is not None
        return JobHandle(id, position, self, asked_ms=asked_ms, named=named, unique=options.unique)

    @staticmethod
    def _asked(
        task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[str, dict[str, Any], EnqueueOptions]:
        options = task.options if isinstance(task, Enqueue) else EnqueueOptions()
        target = task.task if isinstance(task, Enqueue) else task
        if isinstance(target, str):
            given = {**(args[0] or {}), **kwargs} if args else kwargs
            return target, {key: to_jsonable_python(value) for key, value in given.items()}, options
        named = target.bind(*args, **kwargs) if args else kwargs
        return target.name, target.dump_args(named), options.with_priority(target.priority)

    # -- what handles need

    async def ask(
        self,
        place: Place,
        command: Command,
        body: dict[str, Any],
        *,
        timeout: float,
        command_id: str | None = None,
    ) -> CommandAnswer:
        """Give the owner of a partition a command, and wait for its answer. Raises TimeoutError.

        A command given again with its id is answered as before, within the hour answers are kept.
        """
        again = command_id is not None
        since_ms = now_ms() - (ANSWERS_KEPT_MS if again else CLOCK_SKEW_MS)
        command_id = command_id or str(uuid.uuid4())
        watch = self.follower.watch(answer_key(command_id))
        record = command_record(
            command,
            body,
            app_id=self.app_id,
            source=place.source,
            partition=place.partition,
            command_id=command_id,
        )

        async def answer() -> CommandAnswer:
            while (found := watch.newest()) is None:
                await watch.change()
            return answer_of(found)

        async with asyncio.timeout(timeout):
            await self.follower.follow([place], since_ms, anew=again)
            await self._publisher.send_many([record])
            return await self.follower.waiting(answer)

    async def places_of_jobs(self) -> list[Place]:
        """Every partition of direct enqueues."""
        if not self._places:
            async with LogReader(self._settings, timeout_seconds=self._timeout_seconds) as reader:
                count = (await reader.topics()).get(jobs_topic(self.app_id), 0)
            self._places = [Place(JOBS, number) for number in range(count)]
        return self._places

    async def was_read(self, position: Position) -> bool:
        """Whether workers are done with the record at a place."""
        try:
            offsets = await committed_offsets(self._settings)
        except BrokerDown:
            return False  # nobody can say
        return offsets.get(TopicPartition(position.topic, position.partition), 0) > position.offset
