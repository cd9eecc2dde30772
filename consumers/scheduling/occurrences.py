"""Which of a schedule's times are run now and which are skipped. Pure: from where the cursor stands, the
schedule, the clock, and whether an earlier run is unfinished.
"""

from dataclasses import dataclass
from typing import Final

from consumers.scheduling.schedule import Schedule

AT_ONCE: Final = 100
COUNTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Skip:
    """Times that are not run, from the first to the last; `count` stops at 1,000."""

    first_ms: int
    last_ms: int
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due. `waits`: the next time has come, but the run before it has not ended."""

    fired: tuple[int, ...] = ()
    skipped: tuple[Skip, ...] = ()
    next_ms: int | None = None
    waits: bool = False


def plan(schedule: Schedule, next_ms: int, now_ms: int, *, busy: bool) -> Plan:
    """What to do about the times from `next_ms` up to now, at most a hundred of them at once.

    Too late is what is further back than the catch-up window. Of the rest `missed="all"` runs every time,
    `"once"` the newest, `"skip"` the newest if it is not a minute late. `busy` counts for overlap: `"skip"`
    skips while an earlier run is unfinished, `"queue"` waits for its end and starts one at a time, so that
    under `"all"` every time waits and otherwise only the newest.
    """
    if next_ms > now_ms:
        return Plan(next_ms=next_ms)
    if schedule.overlap == "queue" and busy:
        return Plan(next_ms=next_ms, waits=True)
    table, skipped = schedule.timetable, []
    first = next_ms
    if first < now_ms - schedule.window_ms:
        resumed = table.next_after(now_ms - schedule.window_ms - 1)
        span = f"{schedule.window_ms / 1000:g} s"
        last = table.last_within(first - 1, now_ms - schedule.window_ms - 1) or first
        skipped.append(_skip(schedule, first, last, f"missed: more than {span} ago"))
        if resumed is None or resumed > now_ms:
            return Plan(skipped=tuple(skipped), next_ms=resumed)
        first = resumed
    if schedule.missed != "all":
        newest = table.last_within(first - 1, now_ms) or first
        if newest > first:
            before = table.last_within(first - 1, newest - 1) or first
            skipped.append(
                _skip(schedule, first, before, f"missed: of several only one runs ({schedule.missed})")
            )
        first = newest
    times = _times(schedule, first, now_ms)
    fired = times
    if schedule.overlap == "queue":
        fired = times = times[:1]
    elif schedule.overlap == "skip":
        fired = () if busy else times[:1]
        late = times[len(fired) :]
        if late:
            skipped.append(Skip(late[0], late[-1], len(late), "overlap: the run before it has not ended"))
    return Plan(fired, tuple(skipped), table.next_after(times[-1]))


def _times(schedule: Schedule, first: int, now_ms: int) -> tuple[int, ...]:
    times = [first]
    for moment in schedule.timetable.after(first):
        if moment > now_ms or len(times) == AT_ONCE:
            break
        times.append(moment)
    return tuple(times)


def _skip(schedule: Schedule, first: int, last: int, why: str) -> Skip:
    return Skip(first, last, schedule.timetable.count_within(first - 1, last, COUNTED), why)
