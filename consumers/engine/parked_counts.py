"""How many jobs are parked in a partition, by kind: counted once when it is taken over, then kept up to
date.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from consumers.engine.admission import unfinished_job
from consumers.engine.statedb import RECORD
from schemas.job import JobState
from schemas.state import HEADER, header_of

if TYPE_CHECKING:
    from consumers.engine.partition import Partition

KINDS: Final[Mapping[JobState, str]] = {JobState.RETRYING: "retry", JobState.SCHEDULED: "delay"}
AT_ONCE: Final = 500
_DOCUMENT_AT: Final = HEADER.size + 4
_BEGINNINGS: Final = {b'{"state":"%s",' % state.value.encode(): state for state in KINDS}


class ParkedCounts:
    """Counts of one partition. What is running is not parked."""

    def __init__(self) -> None:
        self.by_kind: dict[str, int] = dict.fromkeys(KINDS.values(), 0)

    def settled(self, was: JobState | None, now: JobState | None) -> None:
        """A job's record in the retry table changed from one state to another; None where there is none."""
        for state, change in ((was, -1), (now, 1)):
            if state is not None and state in KINDS:
                self.by_kind[KINDS[state]] += change

    async def take_stock(self, partition: "Partition") -> None:
        """Count what the partition came with, a piece at a time."""
        db, start, end = partition.retry.db, RECORD, None
        if db is None or not db.has_records:
            return
        last_writer = partition.retry.writer
        while start != end and not partition.lost:
            end = start
            for id, value in db.records(start, AT_ONCE):
                start = RECORD + id + b"\0"
                if header_of(value)[2] != last_writer:  # ours are counted as they are written
                    self.settled(None, _state_of(id, value))
            await asyncio.sleep(0)


def _state_of(id: bytes, value: bytes) -> JobState | None:
    """A parked job's state; None for what is no job. There may be a million: few are decoded."""
    for beginning, state in _BEGINNINGS.items():
        if value.startswith(beginning, _DOCUMENT_AT):
            return state
    record = unfinished_job(id, value)
    return None if record is None else JobState(record.document["state"])
