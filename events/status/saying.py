"""What a record says of a job, as a change of the folded job."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import orjson

from events.status import folded
from events.status.folded import Folded, Told
from events.status.keys import STATE_LETTER
from events.status.partitions import Place
from events.status.requests import request_of
from events.status.store import Partition
from events.topics import Kind
from schemas.state import header_of

_MAY_BE_DEEP: Final = 200  # brackets
Change = Callable[[Folded], None]


Said = tuple[str, Change]
"""What one record says of the job of this id."""


def said_by(records: Iterable[Any], place: Place, partition: Partition, now_ms: int) -> Iterator[Said]:
    """What records of one partition of a jobs, retry or ledger topic say, in their order."""
    if place.kind is Kind.JOBS:
        return _asked(records, partition, place.priority, now_ms)
    return _told(records, f"{place.source}/{partition[1]}", place.kind is Kind.LEDGER, now_ms)


def _asked(records: Iterable[Any], partition: Partition, priority: str, now_ms: int) -> Iterator[Said]:
    for record in records:
        found = request_of(record, partition, priority)
        if found is not None:
            yield found[0], _request(found[1], now_ms)


def _told(records: Iterable[Any], where: str, ledger: bool, now_ms: int) -> Iterator[Said]:
    for record in records:
        id, value = record.key.decode(errors="replace"), record.value
        if value is None:
            yield id, _tombstone(where, ledger, now_ms)
            continue
        told = _document(value)
        if told is None:
            continue
        due_ms, expires_ms, _, revision = header_of(value)
        if ledger:
            yield id, _ledger(where, revision, expires_ms, told, now_ms)
        else:
            yield id, _retry(where, revision, due_ms, told, now_ms)


def _request(request: dict[str, Any], now_ms: int) -> Change:
    def change(job: Folded) -> None:
        if folded.is_over(job, now_ms):
            job.pop("s", None)  # an id used again after its last life was forgotten
            job.pop("q", None)
        folded.add_request(job, request)

    return change


def _retry(place: str, revision: int, due_ms: int, document: Told, now_ms: int) -> Change:
    return lambda job: folded.add_retry(job, place, revision, due_ms, document, now_ms)


def _ledger(place: str, revision: int, expires_ms: int, document: Told, now_ms: int) -> Change:
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
        return orjson.loads(_json(value))
    except orjson.JSONDecodeError:
        return None


def _json(value: bytes) -> bytes:
    return value[36 : 36 + int.from_bytes(value[32:36], "big")]


def _document(value: bytes) -> Told | None:
    """The document of a job's state record; None for a record that is of no job."""
    raw = _json(value)
    try:
        found = orjson.loads(raw)
        if raw.count(b"[") + raw.count(b"{") > _MAY_BE_DEEP:
            orjson.dumps(found)  # refuses what is nested so deep that it could not be read inside a job
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if not isinstance(found, dict) or found.get("state") not in STATE_LETTER:
        return None
    if not isinstance(found.get("task"), str) or not isinstance(found.get("attempt"), int):
        return None
    if "steps" in found:
        del found["steps"]
        raw = orjson.dumps(found)
    return Told(raw, found)
