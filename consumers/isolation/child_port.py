"""What a handler in a child may ask of the engine: passed on to the worker (`consumers.context.JobPort`)."""

import asyncio
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from consumers.engine.job import Job
from consumers.errors import StepRefused
from consumers.isolation.messages import Progressed, StepDone, StepKept
from consumers.telemetry.logs import job_logger


class ChildPort:
    """Speaks for the attempt `number`, from any thread of the child."""

    def __init__(self, loop: asyncio.AbstractEventLoop, line: "Connection[Any, Any]") -> None:
        self.loop = loop
        self.number = 0
        self.job: Job | None = None
        self._line = line
        self._one_at_a_time = threading.Lock()
        self._waiting: dict[tuple[int, str], asyncio.Future[None]] = {}

    async def journal(self, job: Job, name: str, result: Any) -> None:
        """Have the worker keep a step's result; durable when it returns. Raises StepRefused."""
        number, kept = self.number, self.loop.create_future()
        if job is not self.job:
            raise StepRefused(f"step {name!r}: its attempt has ended")
        self._waiting[number, name] = kept
        try:
            self._say(StepDone(number, name, result))
            await kept
        finally:
            del self._waiting[number, name]

    def kept(self, answer: StepKept) -> None:
        """The worker's answer, from the thread that listens to it."""
        self.loop.call_soon_threadsafe(self._answered, answer)

    def _answered(self, answer: StepKept) -> None:
        kept = self._waiting.get((answer.number, answer.name))
        if kept is None or kept.done():
            return
        if answer.refused is None:
            kept.set_result(None)
        else:
            kept.set_exception(StepRefused(answer.refused))

    def progress(self, job: Job, done: float, total: float | None, note: str) -> None:
        """Tell the worker how far the job is. Raises TypeError or ValueError for what is no number."""
        if job is self.job:
            whole = None if total is None else float(total)
            self._say(Progressed(self.number, done if type(done) is int else float(done), whole, str(note)))

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def logger_for(self, job: Job) -> Any:
        return job_logger(job)

    def _say(self, message: Progressed | StepDone) -> None:
        with self._one_at_a_time:
            self._line.send(message)
