"""Where the commands to one partition are done, one after the other, and answered.

What a command changes and its answer are settled in one group, so a crash leaves both or neither; what the
partition's one writer serialised first is what really happened.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from consumers.engine.admission import newest
from consumers.engine.asked import Asked
from consumers.engine.cancelling import Cancelling
from consumers.engine.decisions import KNOWN, Answered
from consumers.engine.job import Job
from consumers.engine.moving import Moving
from consumers.engine.partition import Partition
from consumers.engine.statelog import StateLogClosed
from schemas.command import Answer, Command

Document = dict[str, Any]
Handler = Callable[[Asked], Awaitable[Document]]
"""Does a command and says what became of it: at least `answer`."""

_SCHEDULES: Final = (Command.PAUSE_SCHEDULE, Command.RESUME_SCHEDULE, Command.RUN_SCHEDULE)


class Desk:
    """The commands of one partition."""

    def __init__(
        self,
        *,
        partition: Partition,
        cancelling: Cancelling,
        moving: Moving,
        now_ms: Callable[[], int],
        handlers: Mapping[Command, Handler] | None = None,
    ) -> None:
        self._partition = partition
        self._now_ms = now_ms
        self._waiting: deque[Job] = deque()
        self._wake = asyncio.Event()
        self.handlers: dict[Command, Handler] = {
            Command.CANCEL: cancelling.do,
            Command.RESCHEDULE: moving.reschedule,
            Command.RETRY: moving.retry,
            Command.REDRIVE: moving.redrive,
            **(handlers or {}),
        }

    def take(self, command: Job) -> None:
        """A command came in."""
        self._waiting.append(command)
        self._wake.set()

    async def run(self) -> None:
        """Do what is asked for as long as the partition is ours."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._do(self._waiting.popleft())
        except StateLogClosed:
            pass

    async def _do(self, command: Job) -> None:
        partition, asked = self._partition, command.asked
        assert asked is not None
        twin = partition.in_flight.get(command.id)
        if twin is not None:
            await partition.ended(twin)
        command.partition = partition
        known = self._is_answered(command)
        if known and asked.command is not Command.REDRIVE:  # whose job may be lost with what ran it
            partition.settle(command, KNOWN)
            return
        partition.in_flight[command.id] = command
        document = await self._answer(asked)
        partition.settle(command, KNOWN if known else Answered(document))

    def _is_answered(self, command: Job) -> bool:
        db = self._partition.ledger.db
        value = db.get([command.id.encode()])[0] if db is not None else None
        return newest(value, None, self._now_ms()) is not None

    async def _answer(self, asked: Asked) -> Document:
        name = "schedule" if asked.command in _SCHEDULES else "job_id"
        head = {"command": asked.command and asked.command.value, name: asked.about}
        if asked.command is None:
            return {**head, "answer": Answer.REFUSED.value, "why": asked.why_not}
        handler = self.handlers.get(asked.command)
        if handler is None:
            return {**head, "answer": Answer.REFUSED.value, "why": f"nobody here does {asked.command.value}"}
        return {**head, **await handler(asked)}
