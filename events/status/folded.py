"""One job as the read model keeps it: its request and its newest state records, and what they come to.

A folded job is a JSON object of three members, small because there may be millions:
- `q`: the request, if we saw it (`requests.py`);
- `s`: by `source/partition` what the two state topics say: `r` is [revision, due_ms, document, gone_ms],
  `l` is [revision, expires_ms, document];
- `i`: the `Listing` it stands under in the indexes.
A tombstone of the retry topic only says that a ledger record is durable. Where we did not read that one yet,
the retry record stays, marked as gone, so that no job falls back.
"""

from typing import Any, Final, NamedTuple

import orjson

from schemas.job import UNFINISHED, JobState

Folded = dict[str, Any]
Document = dict[str, Any]

GONE_KEPT_MS: Final = 60_000
REQUEST_KEPT_MS: Final = 7 * 24 * 3600 * 1000
_RUNNING_ON: Final = frozenset(state.value for state in UNFINISHED)


class Told:
    """A document just read, and the JSON it came as, which is kept: writing it anew costs more than that."""

    __slots__ = ("document", "raw")

    def __init__(self, raw: bytes, document: Document) -> None:
        self.raw = raw
        self.document = document


def pack(job: Folded) -> bytes:
    """A folded job as the store keeps it."""
    return orjson.dumps(job, default=_written)


def _written(told: Any) -> orjson.Fragment:
    return orjson.Fragment(told.raw)


class Listing(NamedTuple):
    """What a job is found by."""

    task: str
    state: str
    time_ms: int
    event: str | None = None
    parent: str | None = None
    root: str | None = None
    schedule: str | None = None


class Newest(NamedTuple):
    """The state record that counts."""

    place: str
    revision: int
    due_ms: int
    expires_ms: int
    document: Document

    @property
    def finished(self) -> bool:
        return self.document["state"] not in _RUNNING_ON


def add_request(job: Folded, request: dict[str, Any]) -> None:
    """The first of equal requests counts."""
    known = job.get("q")
    if known is None or _order(request) < _order(known):
        job["q"] = request


def _order(request: dict[str, Any]) -> tuple[int, str, int]:
    return request["ms"], request["at"][0], request["at"][2]


def add_retry(job: Folded, place: str, revision: int, due_ms: int, document: Told, now_ms: int) -> None:
    """An unfinished job was written."""
    parts = job.setdefault("s", {}).setdefault(place, {})
    ledger = parts.get("l")
    if ledger is not None and 0 < ledger[1] <= now_ms:
        del parts["l"]  # forgotten; this is a new life
    parts["r"] = [revision, due_ms, document, 0]


def add_ledger(job: Folded, place: str, revision: int, expires_ms: int, document: Told) -> None:
    """A finished job was written."""
    parts = job.setdefault("s", {}).setdefault(place, {})
    parts["l"] = [revision, expires_ms, document]
    retry = parts.get("r")
    if retry is not None and retry[3] and retry[0] <= revision:
        del parts["r"]


def bury_retry(job: Folded, place: str, now_ms: int) -> None:
    """The retry record was taken away."""
    parts = job.get("s", {}).get(place, {})
    retry, ledger = parts.get("r"), parts.get("l")
    if retry is None:
        return
    if ledger is not None and ledger[0] >= retry[0]:
        del parts["r"]
    elif not retry[3]:
        retry[3] = now_ms


def bury_ledger(job: Folded, place: str) -> None:
    """The ledger record was taken away, or has expired."""
    job.get("s", {}).get(place, {}).pop("l", None)


def clear(job: Folded, now_ms: int) -> bool:
    """Drop what is over; returns whether anything is left of the job."""
    places = job.get("s", {})
    had_state = bool(places)
    for place in list(places):
        parts = places[place]
        retry, ledger = parts.get("r"), parts.get("l")
        if retry is not None and 0 < retry[3] <= now_ms - GONE_KEPT_MS:
            del parts["r"]
        if ledger is not None and 0 < ledger[1] <= now_ms:
            del parts["l"]
        if not parts:
            del places[place]
    if places:
        return True
    request = job.get("q")
    if request is None or had_state:
        return False
    waited_from: int = max(request["ms"], request.get("due") or 0)
    return waited_from + REQUEST_KEPT_MS > now_ms


def newest(job: Folded) -> Newest | None:
    """The higher revision of a place wins, on a tie the ledger.

    One id in several places is rare: an event published twice without a key. The finished one counts then.
    """
    places = job.get("s")
    if not places:
        return None
    if len(places) == 1:
        [(place, parts)] = places.items()
        return _newest_of(place, parts)
    found = None
    for place in sorted(places):
        here = _newest_of(place, places[place])
        if here is not None and (found is None or (here.finished and not found.finished)):
            found = here
    return found


def _newest_of(place: str, parts: dict[str, Any]) -> Newest | None:
    retry, ledger = parts.get("r"), parts.get("l")
    if ledger is not None and (retry is None or ledger[0] >= retry[0]):
        return Newest(place, ledger[0], 0, ledger[1], _read(ledger[2]))
    if retry is not None:
        return Newest(place, retry[0], retry[1], 0, _read(retry[2]))
    return None


def _read(document: Document | Told) -> Document:
    return document.document if type(document) is Told else document  # type: ignore[return-value]


def is_over(job: Folded, now_ms: int) -> bool:
    """Whether the newest record of a job has expired."""
    if not job.get("s"):
        return False
    record = newest(job)
    return record is not None and 0 < record.expires_ms <= now_ms


def listing(job: Folded) -> Listing | None:
    """Where the job stands in the indexes; None for one of which nothing is left."""
    record, request = newest(job), job.get("q")
    asked = request or {}
    if record is None:
        if request is None:
            return None
        event = asked.get("event")
        return Listing(
            asked["task"],
            request_state(asked).value,
            asked["ms"],
            event[0] if event else None,
            asked.get("parent"),
            asked.get("root"),
            asked.get("schedule"),
        )
    told = record.document
    event = event_of(told) or asked.get("event")
    return Listing(
        told["task"],
        told["state"],
        time_of(told, asked),
        event[0] if event else None,
        told.get("parent") or asked.get("parent"),
        told.get("root") or asked.get("root"),
        told.get("schedule") or asked.get("schedule"),
    )


def request_state(request: dict[str, Any]) -> JobState:
    """The state of a job nobody took yet. Only a worker changes it: it stays when its time comes."""
    return JobState.SCHEDULED if (request.get("due") or 0) > request["ms"] else JobState.PENDING


def event_of(document: Document) -> list[str] | None:
    """[id, type, source] of the event behind a job, None for a direct enqueue."""
    event = document.get("event")
    if not isinstance(event, list) or len(event) != 3:
        return None
    id, type, source = event
    if not (isinstance(id, str) and isinstance(type, str) and isinstance(source, str)):
        return None
    return event if id and not type.startswith("headrace.job.requested.") else None


def time_of(document: Document, request: dict[str, Any]) -> int:
    """When the job was asked for, ms."""
    told = document.get("enqueued_ms")
    return told if isinstance(told, int) and 0 <= told < 1 << 62 else request.get("ms", 0)
