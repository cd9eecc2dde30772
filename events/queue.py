"""Asking for jobs from any Python program: a client of the jobs topics that imports no task code.

async with JobQueue() as queue:
    job = await queue.enqueue("send_email", to="a@b.example", subject="Hello", body="…")
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_jsonable_python

from events.publisher import Publisher
from events.queue_options import Enqueue, Enqueueable, EnqueueOptions
from events.requests import request_event
from events.settings import ClientSettings
from schemas.state import Position


@dataclass(frozen=True, slots=True)
class JobHandle:
    """A job that Kafka has. `position` is where its request is."""

    job_id: str
    position: Position


class JobQueue:
    """Enqueues jobs. Use it as an async context manager; `timeout_seconds` bounds every wait for Kafka."""

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

    async def __aenter__(self) -> Self:
        await self._publisher.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._publisher.__aexit__(*error)

    async def enqueue(
        self,
        task: Enqueueable | Enqueue | str,
        args: Mapping[str, Any] | None = None,
        /,
        **more: Any,
    ) -> JobHandle:
        """Ask for one job and return when Kafka has the request.

        `task` is a task, `task.options(...)`, or a name. Arguments of a task are checked here, those of a
        name when it runs. Raises PublishError (see `events.errors`), and ValueError for arguments that are
        not JSON.
        """
        options = task.options if isinstance(task, Enqueue) else EnqueueOptions()
        target = task.task if isinstance(task, Enqueue) else task
        given = {**(args or {}), **more}
        if isinstance(target, str):
            name, json_args = target, {key: to_jsonable_python(value) for key, value in given.items()}
        else:
            name, json_args = target.name, target.dump_args(given)
            options = options.with_priority(target.priority)
        return await self.request(name, json_args, options)

    async def request(self, task: str, args: Mapping[str, Any], options: EnqueueOptions) -> JobHandle:
        """The same with everything spelled out: a name, arguments as JSON values, options."""
        topic, key, event = request_event(self._settings.app_id, task, args, options)
        position = await self._publisher.publish(event, topic=topic, key=key)
        return JobHandle(event.id, position)
