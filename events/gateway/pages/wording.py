"""How times, durations and answers are said. Pure."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

from schemas.command import Answer
from schemas.job import JobState
from schemas.status import moment

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))

_ANSWERS: Final = {
    Answer.CANCELLED: "The job is cancelled.",
    Answer.CANCELLING: "The job is running and was told to end. It shows as cancelled once it has.",
    Answer.RESCHEDULED: "The job was moved to another time.",
    Answer.NOT_PARKED: "Nothing was done: the job does not wait for a time.",
    Answer.UNKNOWN_JOB: "Nothing was done: its worker knows no such job any more.",
    Answer.REDRIVEN: "The job runs again.",
    Answer.NOT_FAILED: "Nothing was done: only a job that ended badly can be run again.",
    Answer.PAUSED: "The schedule is paused.",
    Answer.RESUMED: "The schedule goes on.",
    Answer.STARTED: "The schedule's task was asked to run now.",
    Answer.UNKNOWN_SCHEDULE: "Nothing was done: the worker knows no such schedule.",
}
_DONE: Final = frozenset(
    {
        Answer.CANCELLED,
        Answer.CANCELLING,
        Answer.RESCHEDULED,
        Answer.REDRIVEN,
        Answer.PAUSED,
        Answer.RESUMED,
        Answer.STARTED,
    }
)

STATES: Final = {
    JobState.PENDING: "waits for a worker",
    JobState.SCHEDULED: "waits for its time",
    JobState.RUNNING: "runs now",
    JobState.RETRYING: "failed, waits for its next try",
    JobState.COMPLETED: "ended well",
    JobState.FAILED: "ended badly, now a dead letter",
    JobState.DISCARDED: "dropped on request",
    JobState.SKIPPED: "a duplicate of another",
    JobState.CANCELLED: "ended on request",
    JobState.EXPIRED: "came too late for its deadline",
}


def said(time: dt.datetime) -> str:
    """2013-01-05 14:03:07, in UTC."""
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def iso(time: dt.datetime) -> str:
    """RFC 3339 to the millisecond."""
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """12 ms, 3.4 s, 5 min 7 s, 2 h 5 min, 3 d 4 h."""
    seconds = abs(seconds)
    if not math.isfinite(seconds):
        return "for ever"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{math.floor(seconds * 10) / 10:.1f} s"
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    parts.append(f"{rest} s")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def away(time: dt.datetime, now: dt.datetime) -> str:
    """How far a time is from now: `in 3 min`, `2 h ago`."""
    seconds = (time - now).total_seconds()
    return f"in {duration(seconds)}" if seconds > 0 else f"{duration(seconds)} ago"


def number(count: float) -> str:
    """1,234,567."""
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.2f}"


def size(count: int) -> str:
    """1 byte, 512 bytes, 1.5 kB, 2.0 MB."""
    if count < 1_000:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{count / 1_000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def answer_text(document: Mapping[str, Any] | None) -> tuple[str, bool]:
    """(what became of a command, whether it was done)."""
    if document is None:
        return (
            "Its worker was asked and has not answered yet. Load this page again to see what it says.",
            True,
        )
    try:
        answer = Answer(document.get("answer", ""))
    except ValueError:
        return f"The worker answered: {document.get('answer')}", True
    if answer is Answer.ALREADY_FINISHED:
        return f"Nothing was done: the job had already ended, as {document.get('job_state')}.", False
    if answer is Answer.REFUSED:
        return f"The worker refused: {document.get('why') or 'it did not say why'}", False
    due = moment(document.get("due_ms")) if answer is Answer.RESCHEDULED else None
    text = f"The job was moved to {said(due)} UTC." if due else _ANSWERS[answer]
    return text, answer in _DONE
