"""What is known of attempts that ended: pure, from state documents to the entries a job carries along."""

from typing import Any, Final

from consumers.errors import TaskTimeout, WorkerLost
from consumers.failures import name_of

MOST_ATTEMPTS: Final = 20
MESSAGE_LIMIT_CHARACTERS: Final = 300
_OUTCOMES: Final = {name_of(TaskTimeout): "timed_out", name_of(WorkerLost): "worker_lost"}


def before(document: dict[str, Any], *, lost: bool = False) -> list[dict[str, Any]] | None:
    """The ended attempts of a job whose newest record is `document`; None when there are none.

    `lost`: the attempt that runs in it went down with its worker. The newest are kept.
    """
    known = list(document.get("attempts") or ())
    last = _last(document, lost=lost)
    if last is not None:
        known.append(last)
    return known[-MOST_ATTEMPTS:] or None


def _last(document: dict[str, Any], *, lost: bool) -> dict[str, Any] | None:
    """The attempt the record itself tells of, if it ended."""
    started_ms, state = document.get("started_ms"), document.get("state", "")
    if not started_ms or (state == "running" and not lost):
        return None
    error = document.get("error")
    entry = {
        "n": document["attempt"] + bool(document.get("uncounted")),
        "started_ms": started_ms,
        "ended_ms": document.get("ended_ms") or document.get("finished_ms"),
        "worker": document.get("worker"),
        "outcome": "worker_lost" if lost else _outcome(state, error),
    }
    if error is not None:
        message = error.get("message", "")[:MESSAGE_LIMIT_CHARACTERS]
        entry["error"] = {"type": error.get("type", ""), "message": message}
    return entry


def _outcome(state: str, error: dict[str, Any] | None) -> str:
    return _OUTCOMES.get(error.get("type", ""), state) if error is not None else state
