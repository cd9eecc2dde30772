"""The line a second of a busy task is worth, in place of the lines that were held back."""

from typing import Final

from consumers.telemetry.fields import Line
from consumers.telemetry.meter import TaskMeter

_EVENTS: Final = {
    "retried": ("warning", "task_retrying_summary"),
    "dead_lettered": ("error", "task_dead_lettered_summary"),
    "discarded": ("info", "task_discarded_summary"),
    "skipped": ("debug", "task_skipped_summary"),
    "cancelled": ("info", "task_cancelled_summary"),
    "expired": ("warning", "task_expired_summary"),
}


def summary_lines(meter: TaskMeter, elapsed_seconds: float) -> list[Line]:
    """Begin the task's next second; one line per kind that was held back.

    `count` is the number of lines held back: lines written and counts add up to what happened.
    """
    lines: list[Line] = []
    started = meter.started_budget.roll(elapsed_seconds)
    count = meter.completed_budget.roll(elapsed_seconds)
    if started or count:
        fields = {"started": started, "count": count, **_times(meter)}
        lines.append(Line("info", "task_completed_summary", fields))
    meter.recent.clear()
    meter.slowest = 0.0
    for outcome, budget in meter.budgets.items():
        if held := budget.roll(elapsed_seconds):
            level, event = _EVENTS[outcome]
            lines.append(Line(level, event, {"count": held}))
    return lines


def _times(meter: TaskMeter) -> dict[str, float]:
    if not meter.recent:
        return {}
    middle = sorted(meter.recent)[len(meter.recent) // 2]
    return {"p50_seconds": round(middle, 6), "max_seconds": round(meter.slowest, 6)}
