"""`cron(task, …)`: have a task run at times. Written in a task module, like `@task`.

cron(cleanup, hour=3, minute=0)
cron(report, "0 9 * * mon", timezone="Europe/Berlin")
cron(poll, every=30, overlap="skip")
"""

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from consumers.definition import Task
from consumers.errors import ConsumersError, InvalidSchedule
from consumers.registry import current
from consumers.scheduling.fields import expression_of
from consumers.scheduling.schedule import MISSED, OVERLAP, Missed, Overlap, Schedule
from consumers.scheduling.timetable import Timetable
from schemas.duration import Seconds, seconds_of

When = int | str | Iterable[int | str]

MOST_ARGUMENT_BYTES: Final = 64 << 10
MOST_NAME_CHARACTERS: Final = 200


def cron(
    task: Task[..., Any],
    expression: str | None = None,
    /,
    *,
    second: When | None = None,
    minute: When | None = None,
    hour: When | None = None,
    day: When | None = None,
    month: When | None = None,
    weekday: When | None = None,
    every: Seconds | None = None,
    name: str | None = None,
    args: Mapping[str, Any] | None = None,
    timezone: str = "UTC",
    missed: Missed = "once",
    catch_up: Seconds = dt.timedelta(days=1),
    overlap: Overlap = "allow",
    jitter: Seconds = 0,
) -> Schedule:
    """Run a plain task at the times of a cron expression (five fields, or six with seconds first), of named
    fields (see `consumers.scheduling.fields`; Monday is weekday 0), or `every` so many seconds.

    The task finds its time in `ctx.scheduled_at`. `name` tells schedules apart, by default the task's name;
    under the same name it goes on where it was. `missed`: of times that passed while nobody could run them,
    `"once"` runs the newest, `"all"` each, `"skip"` none that is a minute late; none further back than
    `catch_up`. `overlap`: while an earlier run is unfinished, `"allow"` runs beside it, `"skip"` skips,
    `"queue"` waits. `jitter`: start up to so much later, by chance that is the same for a time always.

    Raises InvalidSchedule with file and line.
    """
    place = _caller()
    fields = {
        "second": second,
        "minute": minute,
        "hour": hour,
        "day": day,
        "month": month,
        "weekday": weekday,
    }
    label = name if name is not None else getattr(task, "name", "")
    try:
        _check_task(task)
        schedule = Schedule(
            name=_name(label),
            task=task.name,
            timetable=_timetable(expression, fields, every, timezone),
            args=_arguments(task, args or {}),
            missed=_one_of("missed", missed, MISSED),
            overlap=_one_of("overlap", overlap, OVERLAP),
            catch_up_seconds=_seconds("catch_up", catch_up),
            jitter_seconds=_seconds("jitter", jitter),
            place=place,
        )
        current().add_schedule(schedule)
    except (ValueError, ConsumersError) as error:
        raise InvalidSchedule(f"{place}: schedule {label!r}: {error}") from None
    return schedule


def _caller() -> str:
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _check_task(task: object) -> None:
    if not isinstance(task, Task):
        raise ValueError(f"the first argument must be a task, not {task!r:.60}")
    if not task.is_plain:
        raise ValueError(f"task {task.name!r} runs on events: schedule a task without on=")


def _name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME_CHARACTERS:
        raise ValueError(f"name={name!r:.60}: wanted text of 1 to {MOST_NAME_CHARACTERS} characters")
    return name


def _timetable(
    expression: str | None, fields: Mapping[str, Any], every: Seconds | None, timezone: str
) -> Timetable:
    named = [name for name, value in fields.items() if value is not None]
    if sum((expression is not None, bool(named), every is not None)) > 1:
        raise ValueError("an expression, fields such as hour=, and every= exclude each other: give one")
    if every is not None:
        table = Timetable(every_ms=_every_ms(every), timezone=timezone)
    elif expression is not None:
        table = Timetable(cron=_expression(expression), timezone=timezone)
    else:
        cron_text, day_and = expression_of(fields)
        table = Timetable(cron=cron_text, timezone=timezone, day_and=day_and)
    table.check()
    return table


def _expression(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{text!r:.60}: wanted an expression such as '0 9 * * mon'")
    return " ".join(text.split())


def _every_ms(every: Seconds) -> int:
    seconds = _seconds("every", every)
    if seconds < 1:
        raise ValueError(f"every={every!r}: wanted a second or more")
    return round(seconds * 1000)


def _seconds(name: str, value: Seconds) -> float:
    try:
        return seconds_of(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _one_of(name: str, value: Any, known: tuple[Any, ...]) -> Any:
    if value not in known:
        raise ValueError(f"{name}={value!r:.60}: wanted one of {', '.join(map(repr, known))}")
    return value


def _arguments(task: Task[..., Any], args: Mapping[str, Any]) -> dict[str, Any]:
    dumped = task.dump_args(args)
    size = len(orjson.dumps(dumped))
    if size > MOST_ARGUMENT_BYTES:
        raise ValueError(f"args have {size} bytes, more than {MOST_ARGUMENT_BYTES}: give a reference instead")
    return dumped
