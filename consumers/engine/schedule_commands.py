"""What is asked of schedules: pause, resume, run now. Asked twice by one id, it is done once."""

from collections.abc import Awaitable, Callable
from typing import Any

from consumers.engine.asked import Asked
from consumers.engine.schedules import Alter, Batch, Schedules
from consumers.engine.standing import said
from consumers.scheduling.cursor import MOST_JOBS, Cursor
from consumers.scheduling.schedule import Schedule
from schemas.command import Answer, Command
from schemas.job import job_id


class ScheduleCommands:
    """Does them for the schedules of one partition."""

    def __init__(self, *, schedules: Schedules, now_ms: Callable[[], int]) -> None:
        self._schedules = schedules
        self._now_ms = now_ms

    def handlers(self) -> dict[Command, Callable[[Asked], Awaitable[dict[str, Any]]]]:
        """By command, for the desk of the partition."""
        return {
            Command.PAUSE_SCHEDULE: self.pause,
            Command.RESUME_SCHEDULE: self.resume,
            Command.RUN_SCHEDULE: self.run_now,
        }

    async def pause(self, asked: Asked) -> dict[str, Any]:
        """No time is run until it is resumed; those that pass meanwhile are not made up for."""

        def alter(batch: Batch, cursor: Cursor, schedule: Schedule) -> dict[str, Any]:
            if not cursor.paused:
                self._schedules.put(batch, cursor.moved(paused=True))
                batch.lines.append(("schedule_paused", {"schedule": schedule.name}))
            return {}

        return await self._change(asked, Answer.PAUSED, alter)

    async def resume(self, asked: Asked) -> dict[str, Any]:
        """Go on with the next time from now."""

        def alter(batch: Batch, cursor: Cursor, schedule: Schedule) -> dict[str, Any]:
            if cursor.paused:
                next_ms = schedule.timetable.next_after(self._now_ms())
                self._schedules.put(batch, cursor.moved(paused=False, next_ms=next_ms))
                batch.lines.append(("schedule_resumed", {"schedule": schedule.name}))
            return {}

        return await self._change(asked, Answer.RESUMED, alter)

    async def run_now(self, asked: Asked) -> dict[str, Any]:
        """Start a job now, whatever the times and policies say, paused or not. The command's id names it."""

        def alter(batch: Batch, cursor: Cursor, schedule: Schedule) -> dict[str, Any]:
            id, now_ms = run_id(schedule.task, schedule.name, asked.id), self._now_ms()
            self._schedules.emit(batch, schedule, id, scheduled_ms=now_ms, due_ms=now_ms, now_ms=now_ms)
            if batch.changes:
                jobs = (*self._schedules.unfinished(cursor), id)[-MOST_JOBS:]
                self._schedules.put(batch, cursor.moved(jobs=jobs))
                line = {"schedule": schedule.name, "task": schedule.task, "job_id": id}
                batch.lines.append(("schedule_fired", line | {"command_id": asked.id}))
            return {"job_id": id}

        return await self._change(asked, Answer.STARTED, alter)

    async def _change(self, asked: Asked, answer: Answer, alter: Alter) -> dict[str, Any]:
        try:
            there, told = await self._schedules.change(asked.about, alter)
        except TimeoutError:
            return said(Answer.REFUSED, why="the registry could not be read yet; ask again")
        return said(answer, **told) if there else said(Answer.UNKNOWN_SCHEDULE)


def run_id(task: str, schedule: str, command_id: str) -> str:
    """The id of the job that `run_schedule` starts."""
    return job_id(task, ["schedule", schedule, f"run {command_id}"])
