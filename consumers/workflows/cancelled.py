"""Workflows that were cancelled, as every partition remembers them: what comes of one later does not run."""

from typing import Final

from consumers.engine.job import Job
from consumers.engine.statedb import RECORD, Change, StateDb
from schemas.state import JOIN_PREFIX, decode_state, encode_state
from schemas.workflow import WorkflowCancelled

KEPT_MS: Final = 24 * 3600 * 1000
_PREFIX: Final = JOIN_PREFIX + b"!cancelled/"


def remembered(cancelled: WorkflowCancelled, writer: int, now_ms: int) -> Change:
    """The record of a cancelled workflow."""
    document = {
        "state": "workflow_cancelled",
        "reason": cancelled.reason,
        "command_id": cancelled.command_id,
        "until_ms": now_ms + KEPT_MS,
    }
    return Change(_PREFIX + cancelled.root.encode(), encode_state(document, writer=writer, revision=1))


def restored(db: StateDb) -> dict[str, str]:
    """Root → reason of the workflows a partition remembers as cancelled."""
    found = {}
    for key, value in db.records(RECORD + _PREFIX):
        if not key.startswith(_PREFIX):
            break
        found[key[len(_PREFIX) :].decode()] = str(decode_state(value).document["reason"])
    return found


def forgotten(db: StateDb, now_ms: int) -> list[Change]:
    """The tombstones of those nothing can come of any more."""
    found = []
    for key, value in db.records(RECORD + _PREFIX):
        if not key.startswith(_PREFIX):
            break
        if decode_state(value).document["until_ms"] <= now_ms:
            found.append(Change(key, None))
    return found


def belongs_to(job: Job) -> str | None:
    """The workflow that takes a job with it when it is cancelled. Callbacks stay: they tell of the end."""
    origin = job.origin
    if origin is None or "root" not in origin or origin["root"] == job.id:
        return None
    step = origin.get("step") or ""
    return None if step.rpartition(".")[2].startswith("on_") else str(origin["root"])
