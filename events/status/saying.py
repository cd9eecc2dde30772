"""What a record says of a job, as a change of the folded job."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from events.status import folded
from events.status.folded import Folded
from events.status.keys import STATE_LETTER
from events.status.partitions import Place
from events.status.requests import request_of
from events.topics import Kind
from schemas.state import header_of

Change = Callable[[Folded], None]


class Said(NamedTuple):
    """What one record says of one job."""

    job_id: str
    change: Change


def said_by(record: Any, place: Place, now_ms: int) -> Iterable[Said]:
    """What a record of a jobs, retry or ledger topic says."""
    if place.kind is Kind.JOBS:
        found = request_of(record, place.priority)
        return () if found is None else (Said(found[0], _request(found[1], now_ms)),)
    where = f"{place.source}/{record.partition}"
    ledger = place.kind is Kind.LEDGER
    id = record.key.decode(errors="replace")
    if record.value is None:
        return (Said(id, _tombstone(where, ledger, now_ms)),)
    document = _document(record.value)
    if document is None:
        return ()
    due_ms, expires_ms, _, revision = header_of(record.value)
    if not ledger:
        return (Said(id, _retry(where, revision, due_ms, document, now_ms)),)
    return (Said(id, _ledger(where, revision, expires_ms, document, now_ms)),)


def _request(request: dict[str, Any], now_ms: int) -> Change:
    def change(job: Folded) -> None:
        if folded.is_over(job, now_ms):
            job.pop("s", None)  # an id used again after its last life was forgotten
            job.pop("q", None)
        folded.add_request(job, request)

    return change


def _retry(place: str, revision: int, due_ms: int, document: dict[str, Any], now_ms: int) -> Change:
    return lambda job: folded.add_retry(job, place, revision, due_ms, document, now_ms)


def _ledger(place: str, revision: int, expires_ms: int, document: dict[str, Any], now_ms: int) -> Change:
    def change(job: Folded) -> None:
        if job or not 0 < expires_ms <= now_ms:
            folded.add_ledger(job, place, revision, expires_ms, document)

    return change


def _tombstone(place: str, ledger: bool, now_ms: int) -> Change:
    if ledger:
        return lambda job: folded.bury_ledger(job, place)
    return lambda job: folded.bury_retry(job, place, now_ms)


def nothing(job: Folded) -> None:
    """Change nothing."""


def json_of(value: bytes) -> Any:
    """The JSON document of a state record, without the raw record behind it; None for what is none."""
    try:
        return orjson.loads(value[36 : 36 + int.from_bytes(value[32:36], "big")])
    except orjson.JSONDecodeError:
        return None


def _document(value: bytes) -> dict[str, Any] | None:
    """The document of a job's state record; None for a record that is of no job."""
    found = json_of(value)
    if not isinstance(found, dict) or found.get("state") not in STATE_LETTER:
        return None
    if not isinstance(found.get("task"), str) or not isinstance(found.get("attempt"), int):
        return None
    found.pop("steps", None)
    return found
