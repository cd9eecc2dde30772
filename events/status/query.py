"""Lists of jobs, newest first, a page at a time.

A cursor names the last job of a page, so that new jobs move nothing.
"""

import base64
import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, NamedTuple

import orjson

from events.status import folded
from events.status.document import status_of
from events.status.folded import Folded, Listing
from events.status.keys import (
    EVENT,
    LISTED,
    PARENT,
    ROOT,
    SCHEDULE,
    STATE_LETTER,
    TIME_BYTES,
    Entry,
    entry_of,
    inverted,
    job_key,
    related,
)
from events.status.store import View
from schemas.job import JobState
from schemas.status import JobStatus

MOST_JOBS: Final = 500
_LOOKED_AT_MOST: Final = 20_000
_BATCH: Final = 100


class JobQuery(NamedTuple):
    """Which jobs. Times are ms since 1970 and bound when jobs were asked for: `since_ms` ≤ t < `until_ms`."""

    task: str | None = None
    state: JobState | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    event_id: str | None = None
    parent: str | None = None
    root: str | None = None
    schedule: str | None = None
    limit: int = 50
    cursor: str | None = None


class JobPage(NamedTuple):
    """Jobs, and the cursor of the next page; None when there is none."""

    jobs: list[JobStatus]
    cursor: str | None


class BadCursor(ValueError):
    """A cursor this reader never gave."""


def find(store: View, counts: Callable[[], dict[bytes, int]], query: JobQuery, now_ms: int) -> JobPage:
    """The next page. A page may be short and have a cursor: nothing more fitted where it looked.

    Raises BadCursor.
    """
    limit = max(1, min(query.limit, MOST_JOBS))
    entries = _entries(store, counts, query)
    jobs: list[JobStatus] = []
    looked, last = 0, Entry(b"", b"")
    while batch := list(islice(entries, _BATCH)):
        for entry, raw in zip(batch, store.get_many([b"j" + each.id for each in batch]), strict=True):
            if entry == last:
                continue  # it moved from one list to the other while we read both
            looked, last = looked + 1, entry
            status = None if raw is None else _fitting(entry, orjson.loads(raw), query, now_ms)
            if status is not None:
                jobs.append(status)
            if len(jobs) == limit or looked == _LOOKED_AT_MOST:
                return JobPage(jobs, _cursor(last))
    return JobPage(jobs, None)


def _fitting(entry: Entry, job: Folded, query: JobQuery, now_ms: int) -> JobStatus | None:
    """The job if it still is what its entry says, and what is wanted."""
    if folded.is_over(job, now_ms):
        return None
    listing = Listing(*job["i"])
    wanted = (
        (query.task, listing.task),
        (query.state, listing.state),
        (query.event_id, listing.event),
        (query.parent, listing.parent),
        (query.root, listing.root),
        (query.schedule, listing.schedule),
    )
    if any(asked is not None and asked != found for asked, found in wanted):
        return None
    return status_of(entry.id.decode(), job)


def _entries(store: View, counts: Callable[[], dict[bytes, int]], query: JobQuery) -> Iterator[Entry]:
    """Lines of the narrowest index, newest first, within the times asked for."""
    after = None if query.cursor is None else _entry(query.cursor)
    first = None if query.until_ms is None else inverted(query.until_ms - 1)
    last = None if query.since_ms is None else inverted(query.since_ms)
    lanes = [_lane(store, prefix, after, first, last) for prefix in _prefixes(counts, query)]
    return lanes[0] if len(lanes) == 1 else heapq.merge(*lanes)


def _prefixes(counts: Callable[[], dict[bytes, int]], query: JobQuery) -> list[bytes]:
    for prefix, name in (
        (EVENT, query.event_id),
        (PARENT, query.parent),
        (ROOT, query.root),
        (SCHEDULE, query.schedule),
    ):
        if name is not None:
            return [related(prefix, name)]
    letter = None if query.state is None else STATE_LETTER[query.state]
    task = None if query.task is None else related(b"", query.task)
    return [
        LISTED + lane
        for lane, number in counts().items()
        if number > 0
        and not lane.startswith(b"\0")
        and (task is None or lane[:-1] == task)
        and (letter is None or lane[-1:] == letter)
    ]


def _lane(
    store: View, prefix: bytes, after: Entry | None, first: bytes | None, last: bytes | None
) -> Iterator[Entry]:
    start = prefix + (first or b"")
    if after is not None:
        start = max(start, prefix + after.time + after.id + b"\0")
    for key, _ in store.scan(prefix, start):
        entry = entry_of(key, prefix)
        if last is not None and entry.time > last:
            return
        yield entry


def _cursor(entry: Entry) -> str:
    return base64.urlsafe_b64encode(entry.time + entry.id).decode().rstrip("=")


def _entry(cursor: str) -> Entry:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) <= TIME_BYTES:
        raise BadCursor(cursor)
    return Entry(raw[:TIME_BYTES], raw[TIME_BYTES:])


def children_of(store: View, job_id: str, limit: int) -> list[str]:
    """The first jobs a job asked for, newest first."""
    prefix = related(PARENT, job_id)
    return [entry_of(key, prefix).id.decode() for key, _ in islice(store.scan(prefix), limit)]


def job_of(store: View, job_id: str) -> Folded | None:
    raw = store.get(job_key(job_id))
    return None if raw is None else orjson.loads(raw)
